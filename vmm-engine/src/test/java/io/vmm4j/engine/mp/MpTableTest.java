package io.vmm4j.engine.mp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PlatformFact.InterruptOverride;
import io.vmm4j.api.device.PlatformFact.IoApic;
import io.vmm4j.api.device.PlatformFact.LegacyPics;
import io.vmm4j.api.device.PlatformFact.RealTimeClock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table, read back as a guest reads it: from the floating pointer on. */
final class MpTableTest {
  private static final int SIGNATURE = 0x0003_0661;
  private static final int FEATURES = 0x178B_FBFF;
  private static final int TABLE = 16;
  private static final int ENTRIES = TABLE + 44;
  private static final List<PlatformFact> FACTS =
      List.of(
          new IoApic(1, 0xFEC0_0000L, 0),
          new InterruptOverride(0, 2, false, false),
          new InterruptOverride(9, 9, true, true),
          new LegacyPics(),
          new RealTimeClock());

  @Test
  void thePointerLeadsToTheTableAndBothAddUpToZero() {
    ByteBuffer memory = memory(FACTS, 2);

    assertThat(text(memory, 0, 4)).isEqualTo("_MP_");
    assertThat(memory.getInt(4)).isEqualTo((int) MpTable.ADDRESS + TABLE);
    assertThat(memory.get(8)).as("length in units of 16 bytes").isEqualTo((byte) 1);
    assertThat(memory.get(9)).as("revision").isEqualTo((byte) 4);
    assertThat(memory.get(11)).as("a table, no default configuration").isZero();
    assertThat(sum(memory, 0, 16)).isZero();
    assertThat(text(memory, TABLE, 4)).isEqualTo("PCMP");
    assertThat(TABLE + memory.getShort(TABLE + 4)).isEqualTo(memory.capacity());
    assertThat(memory.get(TABLE + 6)).as("revision").isEqualTo((byte) 4);
    assertThat(memory.getInt(TABLE + 36)).isEqualTo(0xFEE0_0000);
    assertThat(sum(memory, TABLE, memory.capacity())).isZero();
  }

  @Test
  void theFirstProcessorIsTheBootstrapProcessor() {
    assertThat(entries(memory(FACTS, 2)).subList(0, 2))
        .containsExactly(
            "00 00 14 03 61 06 03 00 ff fb 8b 17 00 00 00 00 00 00 00 00",
            "00 01 14 01 61 06 03 00 ff fb 8b 17 00 00 00 00 00 00 00 00");
  }

  /** Interrupt 0 comes to pin 2, so 2, the cascade, comes nowhere; 9 has the form that it has. */
  @Test
  void interruptsComeWhereTheMadtSaysToo() {
    assertThat(entries(memory(FACTS, 1)).subList(1, 20))
        .containsExactly(
            "01 00 49 53 41 20 20 20",
            "02 01 20 01 00 00 c0 fe",
            "03 00 05 00 00 00 01 02",
            "03 00 00 00 00 01 01 01",
            "03 00 00 00 00 03 01 03",
            "03 00 00 00 00 04 01 04",
            "03 00 00 00 00 05 01 05",
            "03 00 00 00 00 06 01 06",
            "03 00 00 00 00 07 01 07",
            "03 00 00 00 00 08 01 08",
            "03 00 0f 00 00 09 01 09",
            "03 00 00 00 00 0a 01 0a",
            "03 00 00 00 00 0b 01 0b",
            "03 00 00 00 00 0c 01 0c",
            "03 00 00 00 00 0d 01 0d",
            "03 00 00 00 00 0e 01 0e",
            "03 00 00 00 00 0f 01 0f",
            "04 03 00 00 00 00 00 00",
            "04 01 00 00 00 00 ff 01");
  }

  @Test
  void aPinIsCountedFromTheFirstOfItsIoApic() {
    List<PlatformFact> two =
        List.of(
            new IoApic(4, 0xFEC0_0000L, 0),
            new IoApic(5, 0xFEC1_0000L, 8),
            new InterruptOverride(3, 20, true, true));

    assertThat(entries(memory(two, 1)))
        .contains("03 00 0f 00 00 03 05 0c", "03 00 00 00 00 07 04 07", "03 00 00 00 00 08 05 00")
        .doesNotContain("04 03 00 00 00 00 00 00");
  }

  @Test
  void theMostProcessorsFit() {
    ByteBuffer memory = memory(FACTS, 255);

    assertThat(entries(memory)).hasSize(255 + 19);
    assertThat(MpTable.ADDRESS + memory.capacity()).isLessThan(0x10_0000);
  }

  @Test
  void withoutAnIoApicThereIsNone() {
    assertThat(MpTable.build(List.of(new LegacyPics()), 1, SIGNATURE, FEATURES)).isEmpty();
  }

  @Test
  void processorsThatApicIdsCantCountAreRefused() {
    for (int cpus : new int[] {0, 256}) {
      assertThatThrownBy(() -> MpTable.build(FACTS, cpus, SIGNATURE, FEATURES))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cpus");
    }
  }

  private static ByteBuffer memory(List<PlatformFact> facts, int cpus) {
    MpTable table = MpTable.build(facts, cpus, SIGNATURE, FEATURES).orElseThrow();
    return ByteBuffer.wrap(table.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** As many as the header says, which must be all there are. */
  private static List<String> entries(ByteBuffer memory) {
    List<String> entries = new ArrayList<>();
    int at = ENTRIES;
    for (int entry = 0; entry < memory.getShort(TABLE + 34); entry++) {
      int length = memory.get(at) == 0 ? 20 : 8;
      entries.add(HexFormat.ofDelimiter(" ").formatHex(memory.array(), at, at + length));
      at += length;
    }
    assertThat(at).as("the end of the last entry").isEqualTo(memory.capacity());
    return entries;
  }

  private static String text(ByteBuffer memory, int at, int length) {
    return new String(memory.array(), at, length, StandardCharsets.US_ASCII);
  }

  private static int sum(ByteBuffer memory, int from, int to) {
    int sum = 0;
    for (int at = from; at < to; at++) {
      sum += memory.get(at);
    }
    return sum & 0xFF;
  }
}
