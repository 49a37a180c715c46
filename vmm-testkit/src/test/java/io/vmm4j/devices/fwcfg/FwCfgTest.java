package io.vmm4j.devices.fwcfg;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class FwCfgTest {
  private static final int SELECTOR = 0x510;
  private static final int DATA = 0x511;

  @AutoClose
  private final TestMachine machine = machineWith(new FwCfgFactory(), FwCfgConfig.DEFAULT);

  private long item(int key, int bytes) {
    machine.out(SELECTOR, 2, key);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (long) machine.in8(DATA) << 8 * i;
    }
    return value;
  }

  @Test
  void the_signature_and_the_id_say_what_it_is() {
    assertThat(item(0x00, 4)).as("QEMU").isEqualTo(0x554D4551);
    assertThat(item(0x01, 4)).as("the traditional interface and no DMA").isEqualTo(1);
    assertThat(item(0x19, 4)).as("number of files").isZero();
  }

  @Test
  void processors_and_memory_are_those_of_the_machine() {
    assertThat(item(0x03, 8)).isEqualTo(16 << 20);
    assertThat(item(0x05, 2)).isEqualTo(1);
    assertThat(item(0x0F, 2)).isEqualTo(1);
  }

  @Test
  void behind_the_end_and_where_there_is_no_item_are_zeros() {
    assertThat(item(0x00, 8)).isEqualTo(0x554D4551);
    assertThat(item(0x1234, 4)).isZero();
    assertThat(item(0x8003, 4)).isZero();
  }

  @Test
  void selecting_begins_anew_and_writing_data_changes_nothing() {
    assertThat(item(0x00, 2)).isEqualTo(0x4551);
    machine.out8(DATA, 0xFF);
    machine.out8(SELECTOR, 5);
    assertThat(machine.in8(DATA)).as("the third byte").isEqualTo('M');
    assertThat(machine.in8(SELECTOR)).as("write only").isZero();
    assertThat(item(0x00, 4)).isEqualTo(0x554D4551);
  }

  @Test
  void a_state_out_of_range_is_refused_by_name() {
    assertThatThrownBy(() -> new FwCfgState(0x10000, 0)).hasMessageContaining("key");
    assertThatThrownBy(() -> new FwCfgState(0, 9)).hasMessageContaining("offset");
  }
}
