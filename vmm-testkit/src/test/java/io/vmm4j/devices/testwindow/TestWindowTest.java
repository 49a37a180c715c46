package io.vmm4j.devices.testwindow;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The fake machine has RAM from 0 to 640 KiB and from 1 MiB to 16 MiB. */
class TestWindowTest {
  private static final int PAGE = 0x510;
  private static final int CONTROL = 0x514;
  private static final int READ_ONLY = 1;
  private static final int READ_WRITE = 2;

  @AutoClose
  private final TestMachine machine =
      machineWith(new TestWindowFactory(), TestWindowConfig.DEFAULT);

  private void map(int page, int access) {
    machine.out(PAGE, 4, page);
    machine.out(CONTROL, 4, access);
  }

  @Test
  void its_contents_move_with_it() {
    map(0x10000, READ_WRITE);
    machine.memory().writeInt(0x1000_0004L, 0x1234_5678);
    map(0x20000, READ_WRITE);
    assertThat(machine.memory().readInt(0x2000_0004L)).isEqualTo(0x1234_5678);
    assertThat(machine.memory().contains(0x1000_0000L, 1)).isFalse();
    assertThat(machine.in(CONTROL, 4)).isEqualTo(2 << 16 | READ_WRITE);
  }

  @Test
  void an_overlap_is_refused_and_the_old_mapping_kept() {
    map(0x10000, READ_WRITE);
    map(0x100, READ_ONLY);
    assertThat(machine.in(CONTROL, 4)).isEqualTo(1 << 16 | 0x80 | READ_WRITE);
    machine.memory().writeByte(0x1000_0000L, 1);
    map(0x30000, READ_ONLY);
    assertThat(machine.in(CONTROL, 4)).isEqualTo(2 << 16 | READ_ONLY);
    assertThat(machine.memory().readByte(0x3000_0000L)).isEqualTo(1);
  }

  @Test
  void it_may_move_onto_a_part_of_where_it_is() {
    map(0x10000, READ_WRITE);
    map(0x10001, READ_WRITE);
    assertThat(machine.in(CONTROL, 4) & 0x80).isZero();
    assertThat(machine.memory().contains(0x1000_0000L, 1)).isFalse();
  }

  @Test
  void off_takes_no_room() {
    map(0x10000, READ_WRITE);
    map(0x100, 0);
    assertThat(machine.in(CONTROL, 4) & 0x83).isZero();
    assertThat(machine.mappings()).isEmpty();
  }
}
