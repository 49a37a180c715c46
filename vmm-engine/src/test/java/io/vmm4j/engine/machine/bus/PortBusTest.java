package io.vmm4j.engine.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.PortHandler;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortBusTest {
  private final List<String> calls = new ArrayList<>();
  private final PortBus bus = new PortBus((path, during, cause) -> calls.add(path + "!" + during));

  private PortHandler log(String name) {
    return new PortHandler() {
      @Override
      public int read(int offset, int size) {
        calls.add("%s r%d@%d".formatted(name, size, offset));
        return 0xF1F2F300 | offset;
      }

      @Override
      public void write(int offset, int size, int value) {
        calls.add("%s w%d@%d=%x".formatted(name, size, offset, value));
      }
    };
  }

  @Test
  void nobodyHomeGivesOnes() {
    assertThat(bus.read(0x80, 1)).isEqualTo(0xFF);
    assertThat(bus.read(0x80, 2)).isEqualTo(0xFFFF);
    assertThat(bus.read(0xFFFF, 4)).isEqualTo(-1);
    bus.write(0xFFFE, 4, 1);
  }

  @Test
  void anAccessWiderThanTheHandlerIsSplitLowestFirst() {
    bus.claim("a", 0x100, 4, AccessWidth.BYTE, log("a"));
    bus.write(0x100, 4, 0x44332211);
    assertThat(calls).containsExactly("a w1@0=11", "a w1@1=22", "a w1@2=33", "a w1@3=44");
    assertThat(bus.read(0x102, 2)).isEqualTo(0x0302);
  }

  @Test
  void anAccessAcrossTwoClaimsReachesBothAndTheGapGivesOnes() {
    bus.claim("a", 0x100, 2, AccessWidth.DWORD, log("a"));
    bus.claim("b", 0x103, 1, AccessWidth.DWORD, log("b"));
    assertThat(bus.read(0x100, 4)).isEqualTo(0x00FF_F300);
    assertThat(calls).containsExactly("a r2@0", "b r1@0");
  }

  @Test
  void anAccessThatBeginsWhereNobodyIsHomeReachesNobody() {
    bus.claim("reset", 0xCF9, 1, AccessWidth.BYTE, log("reset"));
    bus.write(0xCF8, 4, 0x8000_0600);
    assertThat(bus.read(0xCF8, 4)).isEqualTo(-1);
    assertThat(calls).isEmpty();
  }

  @Test
  void anOverlapIsRefusedByNameAndAMoveToItKeepsTheOldPlace() {
    bus.claim("a", 0x100, 8, AccessWidth.BYTE, log("a"));
    assertThatThrownBy(() -> bus.claim("b", 0x107, 1, AccessWidth.BYTE, log("b")))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("b: ")
        .hasMessageContaining("'a'");
    AddressClaim claim = bus.claim("b", 0x200, 8, AccessWidth.BYTE, log("b"));
    assertThat(claim.moveTo(0xF9)).isFalse();
    assertThat(claim.moveTo(0xFFFC)).isFalse();
    assertThat(claim.base()).isEqualTo(0x200);
    assertThat(claim.moveTo(0x204)).isTrue();
    bus.read(0x200, 1);
    bus.read(0x20B, 1);
    assertThat(calls).containsExactly("b r1@7");
    claim.disable();
    assertThat(claim.base()).isEqualTo(-1);
    assertThat(bus.read(0x204, 1)).isEqualTo(0xFF);
  }

  @Test
  void aHandlerThatThrowsIsReportedAndTheAccessGivesOnes() {
    bus.claim(
        "bad",
        0x100,
        1,
        AccessWidth.BYTE,
        new PortHandler() {
          @Override
          public int read(int offset, int size) {
            throw new IllegalStateException();
          }

          @Override
          public void write(int offset, int size, int value) {}
        });
    assertThat(bus.read(0x100, 1)).isEqualTo(0xFF);
    assertThat(calls).containsExactly("bad!read of port 0x100");
  }
}
