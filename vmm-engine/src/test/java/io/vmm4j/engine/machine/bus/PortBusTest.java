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

  private int devices;

  private Claimant device(String path) {
    return new Claimant(path, devices++);
  }

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
    bus.claim(device("a"), 0x100, 4, AccessWidth.BYTE, log("a"));
    bus.write(0x100, 4, 0x44332211);
    assertThat(calls).containsExactly("a w1@0=11", "a w1@1=22", "a w1@2=33", "a w1@3=44");
    assertThat(bus.read(0x102, 2)).isEqualTo(0x0302);
  }

  @Test
  void anAccessAcrossTwoClaimsReachesBothAndTheGapGivesOnes() {
    bus.claim(device("a"), 0x100, 2, AccessWidth.DWORD, log("a"));
    bus.claim(device("b"), 0x103, 1, AccessWidth.DWORD, log("b"));
    assertThat(bus.read(0x100, 4)).isEqualTo(0x00FF_F300);
    assertThat(calls).containsExactly("a r2@0", "b r1@0");
  }

  @Test
  void anAccessThatBeginsWhereNobodyIsHomeReachesNobody() {
    bus.claim(device("reset"), 0xCF9, 1, AccessWidth.BYTE, log("reset"));
    bus.write(0xCF8, 4, 0x8000_0600);
    assertThat(bus.read(0xCF8, 4)).isEqualTo(-1);
    assertThat(calls).isEmpty();
  }

  @Test
  void theBoardsClaimsDoNotOverlap() {
    bus.claim(device("a"), 0x100, 8, AccessWidth.BYTE, log("a"));
    assertThatThrownBy(() -> bus.claim(device("b"), 0x107, 1, AccessWidth.BYTE, log("b")))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("b: ")
        .hasMessageContaining("'a'");
  }

  @Test
  void ofClaimsThatOverlapTheBoardsIsSeenThenTheEarlierDevices() {
    AddressClaim first = bus.claim(device("first"), 4, AccessWidth.BYTE, log("first"));
    AddressClaim second = bus.claim(device("second"), 8, AccessWidth.BYTE, log("second"));
    bus.claim(device("board"), 0x101, 1, AccessWidth.BYTE, log("board"));
    second.moveTo(0x100);
    first.moveTo(0x100);
    bus.read(0x100, 4);
    bus.read(0x104, 1);
    assertThat(calls)
        .containsExactly("first r1@0", "board r1@0", "first r1@2", "first r1@3", "second r1@4");
    assertThat(first.isSeen()).isFalse();
    calls.clear();
    first.moveTo(0x200);
    bus.read(0x100, 4);
    assertThat(calls).containsExactly("second r1@0", "board r1@0", "second r1@2", "second r1@3");
    assertThat(first.isSeen()).isTrue();
    first.disable();
    assertThat(first.base()).isEqualTo(-1);
    assertThat(first.isSeen()).isFalse();
    assertThat(bus.read(0x200, 1)).isEqualTo(0xFF);
  }

  @Test
  void aClaimBeyondTheEndIsSeenNowhere() {
    AddressClaim claim = bus.claim(device("a"), 8, AccessWidth.BYTE, log("a"));
    for (long place : new long[] {0xFFFC, 0x1_0000, Long.MAX_VALUE, Long.MIN_VALUE}) {
      claim.moveTo(place);
      bus.read(0xFFFC, 4);
      bus.read(0, 4);
      assertThat(claim.isSeen()).isFalse();
    }
    assertThat(calls).isEmpty();
    claim.moveTo(0xFFF8);
    assertThat(claim.isSeen()).isTrue();
  }

  @Test
  void aWideAccessGoesToTheClaimThatIsSeenAtItsFirstPort() {
    bus.claim(device("reset"), 0xCF9, 1, AccessWidth.BYTE, log("reset"));
    bus.claim(device("pci"), 8, AccessWidth.DWORD, log("pci")).moveTo(0xCF8);
    bus.write(0xCF8, 4, 0x8000_0600);
    bus.write(0xCF9, 1, 6);
    assertThat(calls).containsExactly("pci w4@0=80000600", "reset w1@0=6");
  }

  @Test
  void aHandlerThatThrowsIsReportedAndTheAccessGivesOnes() {
    bus.claim(
        device("bad"),
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
