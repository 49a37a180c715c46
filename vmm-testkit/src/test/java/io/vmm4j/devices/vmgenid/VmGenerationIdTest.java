package io.vmm4j.devices.vmgenid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.testkit.TestMachine;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class VmGenerationIdTest {
  private static final long ADDRESS = 0xFEF0_0000L;
  private static final int LINE = 22;
  private static final int STATUS = 0x610;
  private static final UUID CLONE = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
  private static final String CLONE_BYTES = "33221100554477668899aabbccddeeff";

  @AutoClose private final TestMachine machine = start("vmgenid", VmGenerationIdConfig.DEFAULT);

  private static TestMachine start(String path, VmGenerationIdConfig config) {
    return TestMachine.builder().device(path, new VmGenerationIdFactory(), config).build();
  }

  private static VmGenerationIdConfig withId(String id) {
    VmGenerationIdConfig standard = VmGenerationIdConfig.DEFAULT;
    return new VmGenerationIdConfig(standard.address(), standard.irq(), standard.port(), id);
  }

  private static String id(TestMachine machine) {
    byte[] bytes = new byte[16];
    machine.memory().read(ADDRESS, bytes, 0, bytes.length);
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void the_first_id_follows_from_the_seed_of_the_device() {
    try (TestMachine same = start("vmgenid", VmGenerationIdConfig.DEFAULT);
        TestMachine other = start("other", VmGenerationIdConfig.DEFAULT)) {
      assertThat(id(machine))
          .isEqualTo(id(same))
          .isNotEqualTo(id(other))
          .isNotEqualTo("0".repeat(32));
    }
    assertThat(machine.line(LINE)).isFalse();
    assertThat(machine.in8(STATUS)).isZero();
  }

  @Test
  void the_first_id_can_be_given() {
    try (TestMachine named = start("vmgenid", withId(CLONE.toString()))) {
      assertThat(id(named)).isEqualTo(CLONE_BYTES);
    }
  }

  @Test
  void what_is_no_guid_is_refused() {
    for (String wrong :
        new String[] {" ", "1-2-3-4-5", CLONE + "0", "g" + CLONE.toString().substring(1)}) {
      assertThatThrownBy(() -> withId(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("id: '" + wrong + "'");
    }
  }

  @Test
  void the_guest_cannot_write_it() {
    assertThatThrownBy(() -> machine.memory().writeByte(ADDRESS, 1))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void it_describes_itself_for_the_firmware_tables() {
    assertThat(machine.facts())
        .containsExactly(
            new PlatformFact.GenerationId("VGEN", ADDRESS),
            new PlatformFact.EventInterrupt("VGEN", 0x80, LINE, STATUS));
  }

  @Test
  void a_clone_has_another_id_and_is_told_until_it_takes_notice() {
    machine.becomeClone(CLONE);

    assertThat(id(machine)).isEqualTo(CLONE_BYTES);
    assertThat(machine.line(LINE)).isTrue();
    assertThat(machine.in8(STATUS)).isEqualTo(1);

    machine.out8(STATUS, 0xFE);
    assertThat(machine.line(LINE)).isTrue();
    machine.out8(STATUS, 1);
    assertThat(machine.line(LINE)).isFalse();
    assertThat(machine.in8(STATUS)).isZero();
  }

  @Test
  void a_change_that_is_not_taken_notice_of_is_saved() {
    machine.becomeClone(CLONE);
    try (TestMachine twin = machine.twin()) {
      assertThat(twin.line(LINE)).isTrue();
      assertThat(id(twin)).isEqualTo(CLONE_BYTES);
    }
  }

  @Test
  void a_restored_machine_that_is_no_clone_keeps_the_id_and_hears_nothing() {
    try (TestMachine twin = machine.twin()) {
      assertThat(id(twin)).isEqualTo(id(machine));
      assertThat(twin.edges(LINE)).isZero();
    }
  }

  @Test
  void reset_keeps_the_id() {
    machine.becomeClone(CLONE);
    machine.reset();

    assertThat(id(machine)).isEqualTo(CLONE_BYTES);
    assertThat(machine.line(LINE)).isFalse();
  }
}
