import CFuzzer
import Glibc

// usage: fuzz PARSER [OPTION of libFuzzer | CORPUS | FILE]…, run by scripts/fuzz.

guard Parser.selected != nil else {
  print(Parser.allCases.map(\.rawValue).joined(separator: "\n"))
  exit(CommandLine.argc > 1 ? 2 : 0)
}

/// The name libFuzzer links against, called with each input.
@_cdecl("LLVMFuzzerTestOneInput")
func feed(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  Parser.selected?.feed(UnsafeRawBufferPointer(start: data, count: count).bytes)
  return 0
}

// libFuzzer keeps the arguments as long as it runs, hence the copies are never freed.
let copies = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
var count = CInt(copies.count - 1)
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: copies.count)
arguments?.initialize(from: copies, count: copies.count)
exit(LLVMFuzzerRunDriver(&count, &arguments, feed))
