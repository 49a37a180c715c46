package io.vmm4j.engine.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PlatformFact.EventInterrupt;
import io.vmm4j.api.device.PlatformFact.FixedDevice;
import io.vmm4j.api.device.PlatformFact.GenerationId;
import io.vmm4j.api.device.PlatformFact.InterruptOverride;
import io.vmm4j.api.device.PlatformFact.IoApic;
import io.vmm4j.api.device.PlatformFact.KeyboardController;
import io.vmm4j.api.device.PlatformFact.LegacyPics;
import io.vmm4j.api.device.PlatformFact.MmioRange;
import io.vmm4j.api.device.PlatformFact.PortRange;
import io.vmm4j.api.device.PlatformFact.PowerButton;
import io.vmm4j.api.device.PlatformFact.PowerManagement;
import io.vmm4j.api.device.PlatformFact.RealTimeClock;
import io.vmm4j.api.device.PlatformFact.ResetRegister;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The tables, read back as a guest reads them: from the RSDP on. */
final class AcpiTablesTest {
  private static final long ADDRESS = 0xE_0000;
  private static final FixedDevice COM1 =
      new FixedDevice("COM1", "PNP0501", List.of(new PortRange(0x3F8, 8)), List.of(), List.of(4));
  private static final FixedDevice VIRTIO =
      new FixedDevice(
          "VIO0", "LNRO0005", List.of(), List.of(new MmioRange(0xD000_0000L, 512)), List.of(20));
  private static final List<PlatformFact> FACTS =
      List.of(
          new IoApic(1, 0xFEC0_0000L, 0),
          new InterruptOverride(0, 2, false, false),
          new InterruptOverride(9, 9, true, true),
          new LegacyPics(),
          new KeyboardController(),
          new RealTimeClock(),
          new PowerManagement(0x600, 0x604, 0x608, 9, 5),
          new PowerButton(),
          new ResetRegister(0xCF9, 6),
          COM1,
          VIRTIO);

  private final ByteBuffer memory = memory(FACTS, 2);

  @Test
  void rsdpHasBothChecksums() {
    assertThat(text(0, 8)).isEqualTo("RSD PTR ");
    assertThat(memory.get(15)).as("revision").isEqualTo((byte) 2);
    assertThat(sum(0, 20)).isZero();
    assertThat(sum(0, 36)).isZero();
  }

  @Test
  void everyTableIsInBothRootsAndAddsUpToZero() {
    int rsdt = offset(memory.getInt(16));
    int xsdt = offset(memory.getLong(24));
    assertThat(text(rsdt, 4)).isEqualTo("RSDT");
    assertThat(text(xsdt, 4)).isEqualTo("XSDT");
    assertThat(memory.getInt(rsdt + 4)).isEqualTo(36 + 2 * 4);
    assertThat(memory.getInt(xsdt + 4)).isEqualTo(36 + 2 * 8);
    for (int i = 0; i < 2; i++) {
      assertThat(memory.getLong(xsdt + 36 + 8 * i)).isEqualTo(memory.getInt(rsdt + 36 + 4 * i));
    }
    for (int table : new int[] {rsdt, xsdt, find("FACP"), find("APIC"), dsdt()}) {
      assertThat(sum(table, memory.getInt(table + 4))).as(text(table, 4)).isZero();
    }
  }

  @Test
  void fadtNamesTheFixedHardware() {
    int fadt = find("FACP");

    assertThat(memory.getShort(fadt + 46)).as("SCI").isEqualTo((short) 9);
    assertThat(memory.getInt(fadt + 56)).isEqualTo(0x600);
    assertThat(memory.getInt(fadt + 64)).isEqualTo(0x604);
    assertThat(memory.getInt(fadt + 76)).isEqualTo(0x608);
    assertThat(memory.getLong(fadt + 148 + 4)).as("X_PM1a_EVT_BLK").isEqualTo(0x600);
    assertThat(memory.getLong(fadt + 172 + 4)).as("X_PM1a_CNT_BLK").isEqualTo(0x604);
    assertThat(memory.getLong(fadt + 208 + 4)).as("X_PM_TMR_BLK").isEqualTo(0x608);
    assertThat(memory.getInt(fadt + 112) & (1 << 4 | 1 << 5 | 1 << 10 | 1 << 20))
        .as("power button, no sleep button, reset register, not hardware-reduced")
        .isEqualTo(1 << 5 | 1 << 10);
    assertThat(memory.getLong(fadt + 116 + 4)).as("reset port").isEqualTo(0xCF9);
    assertThat(memory.get(fadt + 128)).as("reset value").isEqualTo((byte) 6);
    assertThat(memory.getShort(fadt + 109))
        .as("legacy devices, 8042, no VGA, no ASPM")
        .isEqualTo((short) 0b1_0111);
    assertThat(memory.get(fadt + 108)).as("century").isEqualTo((byte) 0x32);
    assertThat(text(offset(memory.getInt(fadt + 36)), 4)).isEqualTo("FACS");
    assertThat(memory.getInt(fadt + 36) % 64).as("alignment of the FACS").isZero();
    assertThat(memory.getLong(fadt + 140)).isEqualTo(memory.getInt(fadt + 40));
  }

  @Test
  void madtListsProcessorsAndInterruptControllers() {
    int madt = find("APIC");

    assertThat(memory.getInt(madt + 36)).isEqualTo(0xFEE0_0000);
    assertThat(memory.getInt(madt + 40)).as("PCAT_COMPAT").isEqualTo(1);
    assertThat(hex(madt + 44, memory.getInt(madt + 4) - 44))
        .isEqualTo(
            "00 08 00 00 01 00 00 00 "
                + "00 08 01 01 01 00 00 00 "
                + "01 0c 01 00 00 00 c0 fe 00 00 00 00 "
                + "02 0a 00 00 02 00 00 00 05 00 "
                + "02 0a 00 09 09 00 00 00 0f 00 "
                + "04 06 ff 00 00 01");
  }

  /**
   * The bytes are those that {@code iasl} 20200925 makes of:
   *
   * <pre>{@code
   * DefinitionBlock ("", "DSDT", 2, "VMM4J ", "VMM4JPC ", 1) {
   *   Name (\_S5, Package () { 5, 5, Zero, Zero })
   *   Scope (\_SB) {
   *     Device (KBD) {
   *       Name (_HID, EisaId ("PNP0303"))
   *       Name (_UID, Zero)
   *       Name (_CRS, ResourceTemplate () {
   *         IO (Decode16, 0x60, 0x60, 1, 1)
   *         IO (Decode16, 0x64, 0x64, 1, 1)
   *         IRQNoFlags () {1} })
   *     }
   *     Device (RTC) {
   *       Name (_HID, EisaId ("PNP0B00"))
   *       Name (_UID, Zero)
   *       Name (_CRS, ResourceTemplate () {
   *         IO (Decode16, 0x70, 0x70, 1, 2)
   *         IRQNoFlags () {8} })
   *     }
   *     Device (COM1) {
   *       Name (_HID, EisaId ("PNP0501"))
   *       Name (_UID, Zero)
   *       Name (_CRS, ResourceTemplate () {
   *         IO (Decode16, 0x3F8, 0x3F8, 1, 8)
   *         IRQNoFlags () {4} })
   *     }
   *     Device (VIO0) {
   *       Name (_HID, "LNRO0005")
   *       Name (_UID, Zero)
   *       Name (_CRS, ResourceTemplate () {
   *         Memory32Fixed (ReadWrite, 0xD0000000, 0x200)
   *         Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { 20 } })
   *     }
   *   }
   * }
   * }</pre>
   */
  @Test
  void dsdtIsTheAmlThatTheReferenceCompilerMakes() {
    assertThat(hex(dsdt() + 36, memory.getInt(dsdt() + 4) - 36))
        .isEqualTo(
            "08 5c 5f 53 35 5f 12 08 04 0a 05 0a 05 00 00 10 42 0d 5c 5f 53 42 5f 5b "
                + "82 33 4b 42 44 5f 08 5f 48 49 44 0c 41 d0 03 03 08 5f 55 49 44 00 08 5f "
                + "43 52 53 11 18 0a 15 47 01 60 00 60 00 01 01 47 01 64 00 64 00 01 01 22 "
                + "02 00 79 00 5b 82 2b 52 54 43 5f 08 5f 48 49 44 0c 41 d0 0b 00 08 5f 55 "
                + "49 44 00 08 5f 43 52 53 11 10 0a 0d 47 01 70 00 70 00 01 02 22 00 01 79 "
                + "00 5b 82 2b 43 4f 4d 31 08 5f 48 49 44 0c 41 d0 05 01 08 5f 55 49 44 00 "
                + "08 5f 43 52 53 11 10 0a 0d 47 01 f8 03 f8 03 01 08 22 10 00 79 00 5b 82 "
                + "3a 56 49 4f 30 08 5f 48 49 44 0d 4c 4e 52 4f 30 30 30 35 00 08 5f 55 49 "
                + "44 00 08 5f 43 52 53 11 1a 0a 17 86 09 00 01 00 00 00 d0 00 02 00 00 89 "
                + "06 00 01 01 14 00 00 00 79 00");
  }

  /**
   * The bytes are those that {@code iasl -f -oa} 20200925 makes of the following, at whose hardware
   * id it complains:
   *
   * <pre>{@code
   * Scope (\_SB) {
   *   Device (VGEN) {
   *     Name (_HID, "VMGENCTR")
   *     Name (_CID, "VM_Gen_Counter")
   *     Name (_DDN, "VM_Gen_Counter")
   *     Name (_UID, Zero)
   *     Name (ADDR, Package () { 0xFEF00000, Zero })
   *   }
   *   Device (GED0) {
   *     Name (_HID, "ACPI0013")
   *     Name (_UID, Zero)
   *     Name (_CRS, ResourceTemplate () {
   *       Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 22 } })
   *     OperationRegion (EVTR, SystemIO, 0x610, One)
   *     Field (EVTR, ByteAcc, NoLock, Preserve) { EVTS, 8 }
   *     Method (_EVT, 1, Serialized) {
   *       If (EVTS) {
   *         Store (One, EVTS)
   *         Notify (VGEN, 0x80)
   *       }
   *     }
   *   }
   * }
   * }</pre>
   */
  @Test
  void aGenerationIdNotifiesThroughAnEventDevice() {
    ByteBuffer tables =
        memory(
            List.of(
                new GenerationId("VGEN", 0xFEF0_0000L),
                new EventInterrupt("VGEN", 0x80, 22, 0x610)),
            1);

    assertThat(HexFormat.ofDelimiter(" ").formatHex(tables.array()))
        .contains(
            "10 4f 0b 5c 5f 53 42 5f 5b 82 43 05 56 47 45 4e 08 5f 48 49 44 0d 56 4d "
                + "47 45 4e 43 54 52 00 08 5f 43 49 44 0d 56 4d 5f 47 65 6e 5f 43 6f 75 6e "
                + "74 65 72 00 08 5f 44 44 4e 0d 56 4d 5f 47 65 6e 5f 43 6f 75 6e 74 65 72 "
                + "00 08 5f 55 49 44 00 08 41 44 44 52 12 08 02 0c 00 00 f0 fe 00 5b 82 41 "
                + "06 47 45 44 30 08 5f 48 49 44 0d 41 43 50 49 30 30 31 33 00 08 5f 55 49 "
                + "44 00 08 5f 43 52 53 11 0e 0a 0b 89 06 00 09 01 16 00 00 00 79 00 5b 80 "
                + "45 56 54 52 01 0b 10 06 01 5b 81 0b 45 56 54 52 01 45 56 54 53 08 14 19 "
                + "5f 45 56 54 09 a0 12 45 56 54 53 70 01 45 56 54 53 86 56 47 45 4e 0a 80");
  }

  @Test
  void anEventMustBelongToADeviceAndBePossible() {
    GenerationId id = new GenerationId("VGEN", 0xFEF0_0000L);
    for (EventInterrupt wrong :
        List.of(
            new EventInterrupt("NONE", 0x80, 22, 0x610),
            new EventInterrupt("VGEN", 0x7F, 22, 0x610),
            new EventInterrupt("VGEN", 0x80, 15, 0x610),
            new EventInterrupt("VGEN", 0x80, 24, 0x610),
            new EventInterrupt("VGEN", 0x80, 22, 0x10000))) {
      assertThatThrownBy(() -> AcpiTables.build(List.of(id, wrong), 1, ADDRESS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(wrong.toString());
    }
    List<PlatformFact> many =
        new ArrayList<>(Collections.nCopies(17, new EventInterrupt("VGEN", 0x80, 22, 0x610)));
    many.add(id);
    assertThatThrownBy(() -> AcpiTables.build(many, 1, ADDRESS)).hasMessageContaining("at most 16");
  }

  @Test
  void devicesOfOneKindHaveDifferentUids() {
    ByteBuffer two =
        memory(
            List.of(COM1, new FixedDevice("COM2", "PNP0501", List.of(), List.of(), List.of())), 1);
    String all = HexFormat.ofDelimiter(" ").formatHex(two.array());

    assertThat(all).contains("5f 55 49 44 00").contains("5f 55 49 44 01");
  }

  /** IA-PC HPET specification 1.0a, 3.2.4. */
  @Test
  void timerBlocksHaveTablesOfTheirOwn() {
    ByteBuffer tables =
        memory(List.of(new PlatformFact.HighPrecisionEventTimer(0xFED0_0000L, 0x8086_2201)), 1);

    int xsdt = offset(tables.getLong(24));
    assertThat(tables.getInt(xsdt + 4)).as("three tables").isEqualTo(36 + 3 * 8);
    int hpet = offset(tables.getLong(xsdt + 36 + 2 * 8));
    assertThat(tables.getInt(hpet)).isEqualTo(0x54455048); // "HPET"
    assertThat(tables.getInt(hpet + 4)).isEqualTo(56);
    assertThat(tables.getInt(hpet + 36)).as("block id").isEqualTo(0x8086_2201);
    assertThat(tables.get(hpet + 40)).as("system memory").isZero();
    assertThat(tables.getLong(hpet + 44)).isEqualTo(0xFED0_0000L);
    assertThat(tables.get(hpet + 52)).as("number").isZero();
  }

  @Test
  void withoutPowerManagementTheMachineIsHardwareReduced() {
    ByteBuffer bare = memory(List.of(), 1);
    int xsdt = (int) (bare.getLong(24) - ADDRESS);
    int fadt = (int) (bare.getLong(xsdt + 36) - ADDRESS);

    assertThat(bare.getInt(fadt + 112) >>> 20 & 1).isEqualTo(1);
    assertThat(bare.getInt(fadt + 112) >>> 4 & 1).as("no power button").isEqualTo(1);
  }

  @Test
  void tablesThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> AcpiTables.build(Collections.nCopies(3000, COM1), 1, ADDRESS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("room for 0x10000");
    assertThatThrownBy(() -> AcpiTables.build(FACTS, 1, 0x9_0000)).hasMessageContaining("address");
    assertThatThrownBy(() -> AcpiTables.build(FACTS, 256, ADDRESS)).hasMessageContaining("cpus");
    FixedDevice badName = new FixedDevice("com1", "PNP0501", List.of(), List.of(), List.of());
    assertThatThrownBy(() -> AcpiTables.build(List.of(badName), 1, ADDRESS))
        .hasMessageContaining("upper-case");
  }

  private static ByteBuffer memory(List<PlatformFact> facts, int cpus) {
    AcpiTables tables = AcpiTables.build(facts, cpus, ADDRESS);
    assertThat(tables.rsdpAddress()).isEqualTo(ADDRESS);
    return ByteBuffer.wrap(tables.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int find(String signature) {
    int xsdt = offset(memory.getLong(24));
    for (int i = 0; i < 2; i++) {
      int table = offset(memory.getLong(xsdt + 36 + 8 * i));
      if (text(table, 4).equals(signature)) {
        return table;
      }
    }
    throw new AssertionError("no " + signature);
  }

  private int dsdt() {
    return offset(memory.getInt(find("FACP") + 40));
  }

  private static int offset(long address) {
    return (int) (address - ADDRESS);
  }

  private String text(int at, int length) {
    return new String(memory.array(), at, length, StandardCharsets.US_ASCII);
  }

  private String hex(int at, int length) {
    return HexFormat.ofDelimiter(" ").formatHex(memory.array(), at, at + length);
  }

  private int sum(int at, int length) {
    int sum = 0;
    for (int i = at; i < at + length; i++) {
      sum += memory.get(i);
    }
    return sum & 0xFF;
  }
}
