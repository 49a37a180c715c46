package io.vmm4j.devices.bootrom;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootRomTest {
  @TempDir Path directory;

  private BootRomConfig image(byte[] bytes) throws IOException {
    return new BootRomConfig(Files.write(directory.resolve("rom"), bytes).toString());
  }

  @Test
  void an_image_ends_at_4_gib_and_is_padded_in_front() throws IOException {
    byte[] bytes = new byte[5000];
    Arrays.fill(bytes, (byte) 0x90);
    bytes[0] = 1;
    bytes[4999] = 2;
    TestMachine machine = machineWith(new BootRomFactory(), image(bytes));
    assertThat(machine.memory().readByte(0xFFFF_FFFFL)).isEqualTo(2);
    assertThat(machine.memory().readByte((1L << 32) - 5000)).isEqualTo(1);
    assertThat(machine.memory().readByte((1L << 32) - 5001)).isZero();
    assertThat(machine.memory().contains((1L << 32) - 8192, 8192)).isTrue();
    assertThat(machine.memory().contains((1L << 32) - 8193, 1)).isFalse();
  }

  @Test
  void the_last_128_kib_are_seen_under_1_mib() throws IOException {
    byte[] bytes = new byte[256 << 10];
    bytes[(128 << 10) - 1] = 1;
    bytes[128 << 10] = 2;
    bytes[(256 << 10) - 1] = 3;
    TestMachine machine = small(image(bytes));
    assertThat(machine.memory().readByte(0xE_0000)).isEqualTo(2);
    assertThat(machine.memory().readByte(0xF_FFFF)).isEqualTo(3);
    assertThat(machine.memory().isWritable(0xD_FFFF, 1)).as("RAM").isTrue();
  }

  @Test
  void a_shadow_is_a_writable_copy_of_the_last_256_kib() throws IOException {
    byte[] bytes = new byte[512 << 10];
    bytes[(256 << 10) - 1] = 1;
    bytes[256 << 10] = 2;
    bytes[(512 << 10) - 1] = 3;
    TestMachine machine = small(new BootRomConfig(image(bytes).image(), true));
    assertThat(machine.memory().readByte(0xC_0000)).isEqualTo(2);
    assertThat(machine.memory().readByte(0xF_FFFF)).isEqualTo(3);

    machine.memory().writeByte(0xF_FFFF, 4);

    assertThat(machine.memory().readByte(0xF_FFFF)).isEqualTo(4);
    assertThat(machine.memory().readByte(0xFFFF_FFFFL)).isEqualTo(3);
  }

  @Test
  void the_shadow_of_a_small_image_is_padded_in_front_too() throws IOException {
    TestMachine machine = small(new BootRomConfig(image(new byte[] {1, 2, 3}).image(), true));
    assertThat(machine.memory().readByte(0xF_FFFD)).isEqualTo(1);
    assertThat(machine.memory().readByte(0xF_FFFC)).isZero();
    assertThat(machine.memory().isWritable(0xF_EFFF, 1)).as("RAM").isTrue();
  }

  @Test
  void a_restored_shadow_has_what_the_guest_wrote() throws IOException {
    BootRomConfig config = new BootRomConfig(image(new byte[] {1, 2, 3}).image(), true);
    TestMachine machine = small(config);
    machine.memory().writeByte(0xF_F000, 9);

    TestMachine twin = machine.twin();

    assertThat(twin.memory().readByte(0xF_F000)).isEqualTo(9);
    assertThat(twin.memory().readByte(0xF_FFFF)).isEqualTo(3);
    assertThat(twin.memory().readByte(0xFFFF_F000L)).isZero();
  }

  private static TestMachine small(BootRomConfig config) {
    return machineWith(new BootRomFactory(), config);
  }

  @Test
  void the_guest_cannot_write_to_it() throws IOException {
    TestMachine machine = small(image(new byte[4096]));
    assertThatThrownBy(() -> machine.memory().writeByte(0xFFFF_F000L, 1))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void a_missing_file_is_named() {
    BootRomConfig config = new BootRomConfig(directory.resolve("nowhere").toString());
    assertThatThrownBy(() -> small(config))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("nowhere");
  }

  @Test
  void a_restored_machine_needs_no_file() throws IOException {
    BootRomConfig config = image(new byte[] {1, 2, 3});
    TestMachine machine = small(config);
    Files.delete(Path.of(config.image()));

    TestMachine twin = machine.twin();

    assertThat(twin.memory().readByte(0xFFFF_FFFFL)).isEqualTo(3);
    assertThat(twin.memory().readByte(0xF_FFFF)).isEqualTo(3);
  }
}
