package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Console;
import io.vmm4j.api.DeviceException;
import io.vmm4j.api.PowerButton;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What devices offer is found by path and type. */
class CapabilitiesTest {

  /** An interface of a device's own, which the API does not know. */
  private interface Thermostat {
    int celsius();
  }

  @Test
  void aDeviceOffersAnInterfaceOfItsOwn() {
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "hall",
                context -> {
                  context.offer(Thermostat.class, () -> 19);
                  return new ScriptedDevices.Plain();
                })
            .with(
                "attic/east",
                context -> {
                  context.offer(Thermostat.class, () -> 31);
                  return new ScriptedDevices.Plain();
                });
    try (Vm vm = devices.create(ClockMode.VIRTUAL)) {
      assertThat(vm.device("attic/east", Thermostat.class).celsius()).isEqualTo(31);
      assertThat(vm.devices(Thermostat.class).sequencedKeySet())
          .containsExactly("hall", "attic/east");
      assertThat(vm.devices(PowerButton.class)).isEmpty();
      assertThatThrownBy(() -> vm.device("cellar", Thermostat.class))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("no thermostat 'cellar'; devices with one are: hall, attic/east");
    }
  }

  @Test
  void anOfferOfOneTypeIsMadeOnce() {
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "hall",
                context -> {
                  context.offer(Thermostat.class, () -> 19);
                  context.offer(Thermostat.class, () -> 20);
                  return new ScriptedDevices.Plain();
                });
    assertThatThrownBy(() -> devices.create(ClockMode.VIRTUAL))
        .isInstanceOf(DeviceException.class)
        .hasMessage("hall: it offers a thermostat already");
  }

  @Test
  void aConsoleIsOneOfThem() {
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "tty",
                context -> {
                  context.console();
                  return new ScriptedDevices.Plain();
                });
    try (Vm vm = devices.create(ClockMode.VIRTUAL)) {
      assertThat(vm.console("tty")).isSameAs(vm.device("tty", Console.class));
    }
  }

  @Test
  void anEndpointEntersItsDeviceWithTheMachineLockHeld() throws InterruptedException {
    CountDownLatch pressed = new CountDownLatch(1);
    Machine[] machine = new Machine[1];
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "button",
                context -> {
                  Runnable action =
                      () -> {
                        if (machine[0].lock().isHeldByCurrentThread()) {
                          pressed.countDown();
                        }
                      };
                  context.offer(PowerButton.class, () -> context.execute(action));
                  return new ScriptedDevices.Plain();
                });
    try (Vm vm = devices.create(ClockMode.REAL)) {
      machine[0] = ScriptedDevices.machine(vm);
      vm.resume();
      assertThat(vm.pressPowerButton()).isTrue();
      assertThat(pressed.await(1, TimeUnit.MINUTES)).isTrue();
    }
  }
}
