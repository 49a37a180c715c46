package io.vmm4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.backend.BackendHost;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The INT3s that come and go; KVM has no part in it. */
class SoftwareBreakpointsTest {
  private static final int INT3 = 0xCC;

  private final BackendHost host = MemoryHost.create();
  private final Map<Long, Long> pages = new HashMap<>();
  private final SoftwareBreakpoints breakpoints =
      new SoftwareBreakpoints(
          host,
          linear -> {
            Long page = pages.get(linear >> 12);
            return page == null
                ? OptionalLong.empty()
                : OptionalLong.of(page << 12 | linear & 0xFFF);
          });

  @BeforeEach
  void memoryIsFilled() {
    host.memory().asSlice(0, 0x1_0000).fill((byte) 0x90);
    pages.put(0x400L, 2L);
    pages.put(0x800L, 2L); // the same page again
    pages.put(0x900L, 3L);
  }

  private int at(long physical) {
    return host.memory().get(ValueLayout.JAVA_BYTE, physical) & 0xFF;
  }

  @Test
  void theyAreInMemoryUntilTheyAreRemoved() {
    breakpoints.set(List.of(0x40_0123L, 0x90_0000L));
    assertThat(at(0x2123)).isEqualTo(0x90);
    breakpoints.lookUpAndInsert();
    assertThat(List.of(at(0x2123), at(0x3000), at(0x2122), at(0x2124)))
        .containsExactly(INT3, INT3, 0x90, 0x90);
    breakpoints.remove();
    assertThat(List.of(at(0x2123), at(0x3000))).containsExactly(0x90, 0x90);
  }

  @Test
  void twoAddressesOfOnePlaceShareIt() {
    breakpoints.set(List.of(0x40_0123L, 0x80_0123L));
    breakpoints.lookUpAndInsert();
    assertThat(breakpoints.isInserted(0x2123)).isTrue();
    assertThat(breakpoints.isInserted(0x2124)).isFalse();
    breakpoints.remove();
    assertThat(at(0x2123)).isEqualTo(0x90);
    assertThat(breakpoints.isInserted(0x2123)).isFalse();
  }

  @Test
  void whatTheGuestHasWrittenOverItStays() {
    breakpoints.set(List.of(0x40_0123L));
    breakpoints.lookUpAndInsert();
    host.memory().set(ValueLayout.JAVA_BYTE, 0x2123, (byte) 0x55);
    breakpoints.remove();
    assertThat(at(0x2123)).isEqualTo(0x55);
  }

  @Test
  void anInt3OfTheGuestStays() {
    host.memory().set(ValueLayout.JAVA_BYTE, 0x2123, (byte) INT3);
    breakpoints.set(List.of(0x40_0123L));
    breakpoints.lookUpAndInsert();
    breakpoints.remove();
    assertThat(at(0x2123)).isEqualTo(INT3);
  }

  @Test
  void theyFollowTheirPage() {
    breakpoints.set(List.of(0x40_0123L));
    pages.put(0x400L, 5L);
    breakpoints.lookUpAndInsert();
    assertThat(List.of(at(0x2123), at(0x5123))).containsExactly(0x90, INT3);
    breakpoints.remove();
    pages.remove(0x400L); // while none has it, it is where it was
    breakpoints.lookUpAndInsert();
    assertThat(at(0x5123)).isEqualTo(INT3);
    breakpoints.remove();
    breakpoints.set(List.of(0x40_0123L, 0x90_0000L));
    breakpoints.insert();
    assertThat(List.of(at(0x5123), at(0x3000))).containsExactly(INT3, INT3);
  }

  @Test
  void whatLeadsToNoMemoryIsRefusedAndTheOthersStay() {
    pages.put(0xA00L, MemoryHost.MEMORY_BYTES >> 12);
    breakpoints.set(List.of(0x40_0123L));
    assertThatThrownBy(() -> breakpoints.set(List.of(0x90_0000L, 0x70_0000L)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x700000");
    assertThatThrownBy(() -> breakpoints.set(List.of(0xA0_0000L))).hasMessageContaining("0xa00000");
    assertThat(breakpoints.isSet(0x40_0123L)).isTrue();
    assertThat(breakpoints.isSet(0x90_0000L)).isFalse();
  }
}
