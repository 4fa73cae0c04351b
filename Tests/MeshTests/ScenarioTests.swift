import Simulation
import Testing

/// Random networks with random misfortunes; `make simulate` runs thousands of them, and larger ones.
@Suite struct ScenarioTests {
  @Test(arguments: Seeds.first(4)) func smallRandomNetworkKeepsAllInvariants(seed: UInt64) {
    var scenario = Scenario(seed: seed, maximum: 6)
    scenario.run()
    #expect(scenario.failures == [], "MESHD_SEED=\(seed): \(scenario.description)")
    #expect(scenario.network.trace.count > 100)
  }

  /// Seeds of `simulate` that once found something, in networks that are small all the same.
  @Test(arguments: [8547]) func networkThatOnceFailedKeepsThemToo(seed: UInt64) {
    var scenario = Scenario(seed: seed)
    scenario.run()
    #expect(scenario.failures == [], "\(scenario.description)")
  }
}
