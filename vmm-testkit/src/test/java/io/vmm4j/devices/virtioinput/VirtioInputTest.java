package io.vmm4j.devices.virtioinput;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.input.Keyboard;
import io.vmm4j.api.input.Tablet;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Input devices of the virtio kind. */
class VirtioInputTest {
  private static TestMachine machine(VirtioInputConfig config) {
    return PciMachine.bus().device(VirtioDriver.PATH, new VirtioInputFactory(), config).build();
  }

  private static VirtioDriver driver(TestMachine machine, boolean packed, int queue) {
    VirtioDriver driver = new VirtioDriver(machine, packed, queue);
    driver.setUp();
    return driver;
  }

  /** The next event as "type code value", or nothing. */
  private static String event(TestMachine machine, VirtioDriver driver) {
    machine.runTasks();
    if (driver.takeBack(1) != 8) {
      return "";
    }
    ByteBuffer b = ByteBuffer.wrap(machine.memory().read(VirtioDriver.BUFFERS, 8));
    b.order(ByteOrder.LITTLE_ENDIAN);
    return "%x %x %d".formatted(b.getShort(), b.getShort(), b.getInt());
  }

  private static void give(VirtioDriver driver) {
    driver.submit(new Buffer(VirtioDriver.BUFFERS, 8, VirtioDriver.WRITE));
  }

  private static long item(VirtioDriver driver, int select, int subselect, int offset, int size) {
    driver.storeRegister(0x2000, 1, select);
    driver.storeRegister(0x2001, 1, subselect);
    return driver.configuration(offset, size);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void keysReachTheGuest(boolean packed) {
    try (TestMachine machine = machine(VirtioInputConfig.KEYBOARD)) {
      Keyboard keyboard = machine.vm().device(VirtioDriver.PATH, Keyboard.class);
      keyboard.key(30, true);
      machine.runTasks();
      VirtioDriver driver = driver(machine, packed, 0);
      keyboard.key(31, true);
      for (String expected : new String[] {"1 1f 1", "0 0 0"}) {
        give(driver);
        assertThat(event(machine, driver)).isEqualTo(expected);
      }
      give(driver);
      assertThat(event(machine, driver)).as("what was typed without a driver").isEmpty();
      keyboard.key(31, false);
      assertThat(event(machine, driver)).isEqualTo("1 1f 0");
      assertThatThrownBy(() -> keyboard.key(0, true)).hasMessageContaining("code");
    }
  }

  @Test
  void aKeyboardSaysWhatItIs() {
    try (TestMachine machine = machine(VirtioInputConfig.KEYBOARD)) {
      VirtioDriver driver = driver(machine, false, 0);
      assertThat(item(driver, 1, 0, 2, 1)).isEqualTo("vmm4j keyboard".length());
      assertThat(item(driver, 1, 0, 8, 4)).isEqualTo(0x346D_6D76);
      assertThat(item(driver, 0x11, 1, 2, 1)).as("bytes of keys").isEqualTo(32);
      assertThat(item(driver, 0x11, 0x11, 8, 1)).as("lamps").isEqualTo(7);
      assertThat(item(driver, 0x11, 3, 2, 1)).as("no axes").isZero();
      assertThat(item(driver, 0x77, 3, 2, 1)).isZero();
      VirtioDriver status = driver(machine, false, 1);
      status.submit(new Buffer(VirtioDriver.BUFFERS, 8, 0));
      assertThat(status.takeBack(1)).isZero();
    }
  }

  @Test
  void aTabletPoints() {
    try (TestMachine machine = machine(VirtioInputConfig.TABLET)) {
      VirtioDriver driver = driver(machine, false, 0);
      assertThat(item(driver, 0x12, 1, 2, 1)).isEqualTo(20);
      assertThat(item(driver, 0x12, 1, 12, 4)).isEqualTo(32767);
      assertThat(item(driver, 0x12, 2, 2, 1)).isZero();
      Tablet tablet = machine.vm().device(VirtioDriver.PATH, Tablet.class);
      tablet.move(100, 200);
      tablet.button(Tablet.Button.MIDDLE, true);
      tablet.wheel(-1);
      for (String expected :
          new String[] {"3 0 100", "3 1 200", "0 0 0", "1 112 1", "0 0 0", "2 8 -1", "0 0 0", ""}) {
        give(driver);
        assertThat(event(machine, driver)).isEqualTo(expected);
      }
      assertThatThrownBy(() -> tablet.move(0, 32768)).hasMessageContaining("y");
    }
  }

  @Test
  void eventsThatWaitHaveABoundAndAreSaved() {
    try (TestMachine machine = machine(VirtioInputConfig.KEYBOARD)) {
      VirtioDriver driver = driver(machine, false, 0);
      Keyboard keyboard = machine.vm().device(VirtioDriver.PATH, Keyboard.class);
      for (int i = 0; i < 2000; i++) {
        keyboard.key(1 + i % 200, true);
      }
      machine.runTasks();
      machine.become(machine);
      int heard = 0;
      give(driver);
      while (!event(machine, driver).isEmpty()) {
        heard++;
        give(driver);
      }
      assertThat(heard).isEqualTo(1024);
      assertThat(machine.exits()).isEmpty();
    }
  }
}
