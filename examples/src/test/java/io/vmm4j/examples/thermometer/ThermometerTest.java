package io.vmm4j.examples.thermometer;

import io.vmm4j.testkit.DeviceModelContract;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A device of one's own keeps the contract that the built-in ones keep. */
class ThermometerTest {

  @TestFactory
  Stream<DynamicTest> keepsTheContract() {
    return DeviceModelContract.of(new ThermometerFactory(), ThermometerConfig.DEFAULT)
        .doing("a threshold that is reached", machine -> machine.out8(0x511, 20))
        .mustReach(ThermometerState::alarm)
        .doing("a warmer room", machine -> machine.advance(Duration.ofSeconds(2)))
        .mustReach(state -> state.celsius() == 23)
        .checks()
        .entrySet()
        .stream()
        .map(check -> DynamicTest.dynamicTest(check.getKey(), check.getValue()::run));
  }
}
