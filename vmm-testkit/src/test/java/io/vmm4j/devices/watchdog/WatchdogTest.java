package io.vmm4j.devices.watchdog;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The watchdog of the Intel 6300ESB. A tick is 993 µs. */
class WatchdogTest {
  private static final VmExit RESET = new VmExit.Reset(VmExit.Reset.Cause.WATCHDOG);

  private static TestMachine machine(WatchdogAction action) {
    return PciMachine.bus()
        .device(PciMachine.PATH, new WatchdogFactory(), new WatchdogConfig(action))
        .build();
  }

  @Test
  void aGuestThatKeepsItQuietGoesOnAndThenDoesNot() {
    try (TestMachine machine = machine(WatchdogAction.RESET)) {
      WatchdogDriver driver = new WatchdogDriver(machine);
      driver.configure(3);
      driver.preload(1000, 1000);
      machine.advance(Duration.ofSeconds(10));
      driver.lock(2);
      for (int i = 0; i < 10; i++) {
        machine.advance(Duration.ofMillis(1900));
        driver.reload();
      }
      assertThat(machine.exits()).isEmpty();
      machine.advance(Duration.ofMillis(1980));
      assertThat(machine.exits()).isEmpty();
      machine.advance(Duration.ofMillis(30));
      assertThat(machine.exits()).containsExactly(RESET);
      assertThat(driver.load(0xC)).isEqualTo(0x200);
      driver.unlocked(0xC, 2, 0x200);
      assertThat(driver.load(0xC)).isZero();
    }
  }

  @Test
  void fastTicksAreAThousandTimesFaster() {
    try (TestMachine machine = machine(WatchdogAction.POWER_OFF)) {
      WatchdogDriver driver = new WatchdogDriver(machine);
      driver.configure(4);
      driver.preload(1000, 1000);
      driver.lock(2);
      machine.advance(Duration.ofMillis(3));
      assertThat(machine.exits()).containsExactly(new VmExit.PoweredOff());
    }
  }

  @Test
  void whatIsLockedCanNotBeStopped() {
    try (TestMachine machine = machine(WatchdogAction.RESET)) {
      WatchdogDriver driver = new WatchdogDriver(machine);
      driver.preload(100, 100);
      driver.lock(2);
      driver.lock(0);
      machine.advance(Duration.ofSeconds(1));
      assertThat(machine.exits()).isEmpty();
      driver.lock(3);
      driver.lock(0);
      assertThat(driver.locked()).isEqualTo(3);
      try (TestMachine twin = machine.twin()) {
        twin.advance(Duration.ofSeconds(1));
        assertThat(twin.exits()).containsExactly(RESET);
      }
    }
  }

  @Test
  void nothingIsWrittenWithoutUnlocking() {
    try (TestMachine machine = machine(WatchdogAction.RESET)) {
      WatchdogDriver driver = new WatchdogDriver(machine);
      driver.preload(100, 100);
      driver.store(0, 4, 1_000_000);
      driver.store(0xC, 2, 0x86);
      driver.store(4, 4, 1_000_000);
      driver.store(0xC, 2, 0x80);
      driver.store(4, 4, 1_000_000);
      driver.lock(2);
      machine.advance(Duration.ofMillis(250));
      assertThat(machine.exits()).containsExactly(RESET);
    }
  }

  @Test
  void aTimeoutMayBeHarmlessAndBeginAnew() {
    try (TestMachine machine = machine(WatchdogAction.RESET)) {
      WatchdogDriver driver = new WatchdogDriver(machine);
      driver.configure(0x20);
      driver.preload(0, 0);
      driver.lock(6);
      machine.advance(Duration.ofSeconds(1));
      assertThat(machine.exits()).isEmpty();
      assertThat(driver.load(0xC)).isEqualTo(0x200);
      assertThat(machine.firings()).isBetween(900L, 1100L);
    }
  }
}
