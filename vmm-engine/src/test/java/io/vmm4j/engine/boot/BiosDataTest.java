package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.device.PlatformFact;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The low memory of a PC, as kernels read it that call no BIOS. */
class BiosDataTest {
  private static final int RAM_BYTES = 4 << 20;
  private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

  private ArrayMemory memory = new ArrayMemory(RAM_BYTES);

  private void write(int ramBytes, int... serialPorts) {
    List<PlatformFact> facts =
        Arrays.stream(serialPorts)
            .<PlatformFact>mapToObj(port ->
                new PlatformFact.FixedDevice(
                    "COM",
                    "PNP0501",
                    List.of(new PlatformFact.PortRange(port, 8)),
                    List.of(),
                    List.of(4)))
            .toList();
    memory = new ArrayMemory(ramBytes);
    BiosData.of(facts, START).writeTo(memory, new BiosMemoryMap(ramBytes));
  }

  @Test
  void theEndOfConventionalMemoryIsTheSameEverywhere() {
    write(RAM_BYTES);

    int extended = memory.readShort(0x40E) << 4;
    assertThat(extended).as("40:0E").isEqualTo(0x9_FC00);
    assertThat(memory.readShort(0x413) << 10).as("40:13").isEqualTo(extended);
    BiosMemoryMap.Range first = new BiosMemoryMap(RAM_BYTES).map().getFirst();
    assertThat(first.address() + first.length()).as("memory map").isEqualTo(extended);
    assertThat(memory.readByte(extended)).as("the area's size in KiB").isEqualTo(1);
  }

  @Test
  void aMachineWithLittleMemoryHasNoExtendedArea() {
    write(64 << 10);

    assertThat(memory.readShort(0x40E)).isZero();
    assertThat(memory.readShort(0x413)).isEqualTo(64);
    assertThat(memory.readInt(0)).as("no handlers, so no vectors").isZero();
  }

  @Test
  void serialPortsAreInTheTableWithoutGaps() {
    write(RAM_BYTES, 0x2F8, 0x3F8, 0x1234, 0x2E8);

    assertThat(memory.readShort(0x400)).isEqualTo(0x3F8);
    assertThat(memory.readShort(0x402)).isEqualTo(0x2F8);
    assertThat(memory.readShort(0x404)).isEqualTo(0x2E8);
    assertThat(memory.readShort(0x406)).isZero();
    assertThat(memory.readShort(0x410) >> 9 & 7).as("in the equipment word").isEqualTo(3);
  }

  @Test
  void theTicksAreThoseOfTheDay() {
    write(RAM_BYTES);
    assertThat(memory.readInt(0x46C)).isEqualTo(0x1800B0 / 2);
  }

  @Test
  void theScreenAndTheKeyboardAreDescribed() {
    write(RAM_BYTES);
    assertThat(memory.readByte(0x449)).as("video mode").isEqualTo(3);
    assertThat(memory.readShort(0x44A)).as("columns").isEqualTo(80);
    assertThat(memory.readShort(0x463)).as("CRT controller").isEqualTo(0x3D4);
    assertThat(memory.readByte(0x484)).as("rows less one").isEqualTo(24);
    assertThat(memory.readShort(0x41A)).as("empty").isEqualTo(memory.readShort(0x41C));
    assertThat(memory.readShort(0x480)).isEqualTo(0x1E);
  }

  @Test
  void theRomHasItsMarksAndEveryVectorItsHandler() {
    write(RAM_BYTES);
    assertThat(memory.readByte(0xF_FFFE)).as("model").isEqualTo(0xFC);
    assertThat(memory.readByte(0xF_FFF0)).as("a far jump").isEqualTo(0xEA);
    for (int vector = 0; vector < 256; vector++) {
      int pointer = memory.readInt(vector * 4L);
      assertThat(pointer >>> 16).isEqualTo(0xF000);
      assertThat(memory.readByte(0xF_0000 + (pointer & 0xFFFF))).as("code").isNotZero();
    }
  }
}
