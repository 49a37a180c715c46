package io.vmm4j.engine.acpi;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PlatformFact.AcpiContent;
import io.vmm4j.api.device.PlatformFact.FixedDevice;
import io.vmm4j.api.device.PlatformFact.HighPrecisionEventTimer;
import io.vmm4j.api.device.PlatformFact.InterruptOverride;
import io.vmm4j.api.device.PlatformFact.IoApic;
import io.vmm4j.api.device.PlatformFact.KeyboardController;
import io.vmm4j.api.device.PlatformFact.LegacyPics;
import io.vmm4j.api.device.PlatformFact.PortRange;
import io.vmm4j.api.device.PlatformFact.PowerButton;
import io.vmm4j.api.device.PlatformFact.PowerManagement;
import io.vmm4j.api.device.PlatformFact.RealTimeClock;
import io.vmm4j.api.device.PlatformFact.ResetRegister;
import io.vmm4j.api.firmware.AcpiTable;
import io.vmm4j.api.firmware.Aml;
import io.vmm4j.api.memory.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A machine's ACPI tables (ACPI 6.4, chapter 5): RSDP, RSDT and XSDT, FADT with FACS and DSDT, and
 * MADT. What they say comes from the facts that devices state, and nothing else.
 *
 * <p>Immutable; from any thread.
 */
public final class AcpiTables {
  /** Where the tables lie: in the BIOS read-only area, where guests look for the RSDP. */
  public static final long DEFAULT_ADDRESS = 0xE_0000;

  /** The end of the place for the tables; behind it the MP table lies. */
  public static final long END = 0xF_0000;

  private static final int LOCAL_APIC_ADDRESS = 0xFEE0_0000;
  private static final int HEADER_BYTES = 36;
  private static final int FACS_ALIGNMENT = 64;

  /** The least period of a timer block in periodic mode without lost interrupts, in its ticks. */
  private static final int LEAST_PERIODIC_TICKS = 10_000;

  private final long address;
  private final byte[] bytes;

  private AcpiTables(long address, byte[] bytes) {
    this.address = address;
    this.bytes = bytes;
  }

  /**
   * Builds the tables.
   *
   * @param facts what the devices state
   * @param cpus how many vCPUs there are, with APIC ids from 0, at most 255
   * @param address where the tables will lie: a multiple of 64 from 0xE0000 on
   * @throws IllegalArgumentException if they do not fit below 0xF0000, or a fact has no valid form
   */
  public static AcpiTables build(List<PlatformFact> facts, int cpus, long address) {
    if (cpus < 1 || cpus > 255) {
      throw new IllegalArgumentException("cpus: 1 to 255, not " + cpus);
    }
    if (address < DEFAULT_ADDRESS || address >= END || address % FACS_ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "address: a multiple of 64 from 0xE0000 to 0xF0000, not 0x%x".formatted(address));
    }
    Layout layout = new Layout(address);
    layout.reserve(36); // the RSDP, filled in when all else is placed
    long facs = layout.add(facs(), FACS_ALIGNMENT);
    long dsdt = layout.add(dsdt(facts), 16);
    long fadt = layout.add(fadt(facts, facs, dsdt), 16);
    long madt = layout.add(madt(facts, cpus), 16);
    List<Long> tables = new ArrayList<>(List.of(fadt, madt));
    int timers = 0;
    for (HighPrecisionEventTimer timer : all(facts, HighPrecisionEventTimer.class)) {
      tables.add(layout.add(hpet(timer, timers++), 16));
    }
    for (AcpiContent content : all(facts, AcpiContent.class)) {
      for (AcpiTable own : content.tables()) {
        tables.add(layout.add(table(own.signature(), own.revision(), own.body()), 16));
      }
    }
    long rsdt = layout.add(root("RSDT", tables, 4), 16);
    long xsdt = layout.add(root("XSDT", tables, 8), 16);
    byte[] bytes = layout.bytes();
    byte[] rsdp = rsdp(rsdt, xsdt);
    System.arraycopy(rsdp, 0, bytes, 0, rsdp.length);
    if (address + bytes.length > END) {
      throw new IllegalArgumentException(
          "the ACPI tables have 0x%x bytes; at 0x%x there is room for 0x%x"
              .formatted(bytes.length, address, END - address));
    }
    return new AcpiTables(address, bytes);
  }

  /** The guest physical address of the RSDP. */
  public long rsdpAddress() {
    return address;
  }

  /** The bytes from {@link #rsdpAddress} on; a copy. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Copies them to their place. */
  public void writeTo(GuestMemory memory) {
    memory.write(address, bytes);
  }

  /** Puts tables one behind the other. */
  private static final class Layout {
    private final long base;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Layout(long base) {
      this.base = base;
    }

    void reserve(int bytes) {
      out.writeBytes(new byte[bytes]);
    }

    long add(byte[] table, int alignment) {
      reserve(Math.floorMod(-out.size(), alignment));
      long at = base + out.size();
      out.writeBytes(table);
      return at;
    }

    byte[] bytes() {
      return out.toByteArray();
    }
  }

  /** ACPI 6.4, 5.2.5.3. */
  private static byte[] rsdp(long rsdt, long xsdt) {
    ByteBuffer table = buffer(36);
    table.put("RSD PTR ".getBytes(StandardCharsets.US_ASCII));
    table.put(9, "VMM4J ".getBytes(StandardCharsets.US_ASCII));
    table.put(15, (byte) 2); // revision
    table.putInt(16, (int) rsdt);
    table.putInt(20, table.capacity());
    table.putLong(24, xsdt);
    table.put(8, checksum(table.array(), 20));
    table.put(32, checksum(table.array(), table.capacity()));
    return table.array();
  }

  /** ACPI 6.4, 5.2.7 and 5.2.8. */
  private static byte[] root(String signature, List<Long> tables, int pointerBytes) {
    ByteBuffer body = buffer(tables.size() * pointerBytes);
    for (long table : tables) {
      body.put(Aml.littleEndian(table, pointerBytes));
    }
    return table(signature, 1, body.array());
  }

  /** ACPI 6.4, 5.2.10. */
  private static byte[] facs() {
    ByteBuffer table = buffer(64);
    table.put("FACS".getBytes(StandardCharsets.US_ASCII));
    table.putInt(4, table.capacity());
    table.put(32, (byte) 2); // version
    return table.array();
  }

  /** ACPI 6.4, 5.2.9. Offsets are the specification's, from the header on. */
  private static byte[] fadt(List<PlatformFact> facts, long facs, long dsdt) {
    ByteBuffer table = buffer(276);
    table.putInt(36, (int) facs);
    table.putInt(40, (int) dsdt);
    table.putLong(140, dsdt); // X_DSDT; X_FIRMWARE_CTRL stays 0, as FIRMWARE_CTRL is used
    int flags =
        1 // WBINVD works
            | 1 << 2 // C1 on all processors
            | 1 << 5; // no sleep button as fixed hardware
    if (first(facts, PowerButton.class).isEmpty()) {
      flags |= 1 << 4; // no power button as fixed hardware
    }
    Optional<PowerManagement> power = first(facts, PowerManagement.class);
    if (power.isPresent()) {
      PowerManagement pm = power.get();
      table.putShort(46, (short) pm.interrupt());
      table.putInt(56, pm.eventPort());
      table.putInt(64, pm.controlPort());
      table.putInt(76, pm.timerPort());
      table.put(88, (byte) 4); // bytes of the event block
      table.put(89, (byte) 2); // of the control block
      table.put(91, (byte) 4); // of the timer
      portAddress(table, 148, pm.eventPort(), 32, 2);
      portAddress(table, 172, pm.controlPort(), 16, 2);
      portAddress(table, 208, pm.timerPort(), 32, 3);
    } else {
      flags |= 1 << 20; // hardware-reduced: there is no fixed hardware at all
    }
    table.putShort(96, (short) 0xFFF); // no C2
    table.putShort(98, (short) 0xFFF); // no C3
    if (first(facts, RealTimeClock.class).isPresent()) {
      table.put(108, (byte) 0x32); // the century in CMOS
    }
    int bootFlags =
        1 // legacy devices
            | 1 << 2 // no VGA
            | 1 << 4; // no PCIe ASPM
    if (first(facts, KeyboardController.class).isPresent()) {
      bootFlags |= 1 << 1;
    }
    if (first(facts, RealTimeClock.class).isEmpty()) {
      bootFlags |= 1 << 5;
    }
    table.putShort(109, (short) bootFlags);
    Optional<ResetRegister> reset = first(facts, ResetRegister.class);
    if (reset.isPresent()) {
      flags |= 1 << 10;
      portAddress(table, 116, reset.get().port(), 8, 1);
      table.put(128, (byte) reset.get().value());
    }
    table.putInt(112, flags);
    table.put(131, (byte) 3); // minor version: 6.3
    byte[] body = new byte[table.capacity() - HEADER_BYTES];
    table.get(HEADER_BYTES, body);
    return table("FACP", 6, body);
  }

  /** A generic address structure of a port (ACPI 6.4, 5.2.3.2). */
  private static void portAddress(ByteBuffer table, int at, int port, int bits, int accessSize) {
    table.put(at, (byte) 1); // system I/O
    table.put(at + 1, (byte) bits);
    table.put(at + 3, (byte) accessSize);
    table.putLong(at + 4, port);
  }

  /** ACPI 6.4, 5.2.12. */
  private static byte[] madt(List<PlatformFact> facts, int cpus) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(Aml.littleEndian(LOCAL_APIC_ADDRESS, 4));
    boolean pics = first(facts, LegacyPics.class).isPresent();
    out.writeBytes(Aml.littleEndian(pics ? 1 : 0, 4)); // PCAT_COMPAT
    for (int cpu = 0; cpu < cpus; cpu++) {
      // processor local APIC: type, length, processor UID, APIC id, flags (enabled)
      out.writeBytes(new byte[] {0, 8, (byte) cpu, (byte) cpu, 1, 0, 0, 0});
    }
    for (PlatformFact fact : facts) {
      switch (fact) {
        case IoApic apic -> {
          out.writeBytes(new byte[] {1, 12, (byte) apic.id(), 0});
          out.writeBytes(Aml.littleEndian(apic.address(), 4));
          out.writeBytes(Aml.littleEndian(apic.firstInterrupt(), 4));
        }
        case InterruptOverride override -> {
          out.writeBytes(new byte[] {2, 10, 0, (byte) override.isaIrq()});
          out.writeBytes(Aml.littleEndian(override.globalInterrupt(), 4));
          int polarity = override.activeLow() ? 3 : 1;
          int trigger = override.levelTriggered() ? 3 : 1;
          out.writeBytes(Aml.littleEndian(polarity | trigger << 2, 2));
        }
        default -> {}
      }
    }
    // local APIC NMI: all processors, flags as the bus has them, LINT1
    out.writeBytes(new byte[] {4, 6, (byte) 0xFF, 0, 0, 1});
    return table("APIC", 5, out.toByteArray());
  }

  /** IA-PC HPET specification 1.0a, 3.2.4. */
  private static byte[] hpet(HighPrecisionEventTimer timer, int number) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(Aml.littleEndian(timer.blockId(), 4));
    out.writeBytes(new byte[] {0, 64, 0, 0}); // system memory, 64 bits wide
    out.writeBytes(Aml.littleEndian(timer.address(), 8));
    out.write(number);
    out.writeBytes(Aml.littleEndian(LEAST_PERIODIC_TICKS, 2));
    out.write(0); // no promise about the page around it
    return table("HPET", 1, out.toByteArray());
  }

  private static byte[] dsdt(List<PlatformFact> facts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    first(facts, PowerManagement.class)
        .ifPresent(pm -> {
          byte[] type = Aml.integer(pm.sleepTypeS5());
          byte[] none = Aml.integer(0);
          out.writeBytes(Aml.name("\\_S5_", Aml.packageOf(type, type, none, none)));
        });
    List<byte[]> devices = new ArrayList<>();
    List<FixedDevice> fixed = facts.stream().flatMap(AcpiTables::fixedDevice).toList();
    for (FixedDevice device : fixed) {
      devices.add(
          Aml.device(
              device.name(),
              Aml.name("_HID", Aml.hardwareId(device.hardwareId())),
              Aml.name("_UID", Aml.integer(uid(fixed, device))),
              Aml.name("_CRS", Aml.resources(device))));
    }
    devices.addAll(EventDevices.of(facts));
    all(facts, AcpiContent.class).forEach(c -> devices.addAll(c.systemBusObjects()));
    out.writeBytes(Aml.scope("\\_SB_", devices.toArray(byte[][]::new)));
    return table("DSDT", 2, out.toByteArray());
  }

  /** What a fact puts into the namespace, if anything. */
  private static Stream<FixedDevice> fixedDevice(PlatformFact fact) {
    return switch (fact) {
      case FixedDevice device -> Stream.of(device);
      case KeyboardController there ->
          Stream.of(
              new FixedDevice(
                  "KBD",
                  "PNP0303",
                  List.of(new PortRange(0x60, 1), new PortRange(0x64, 1)),
                  List.of(),
                  List.of(1)));
      case RealTimeClock there ->
          Stream.of(
              new FixedDevice(
                  "RTC", "PNP0B00", List.of(new PortRange(0x70, 2)), List.of(), List.of(8)));
      default -> Stream.empty();
    };
  }

  /** How many devices of the same hardware id come before: unique among them, as _UID must be. */
  private static int uid(List<FixedDevice> devices, FixedDevice device) {
    int count = 0;
    for (FixedDevice other : devices) {
      if (other == device) {
        break;
      }
      if (other.hardwareId().equals(device.hardwareId())) {
        count++;
      }
    }
    return count;
  }

  private static <T extends PlatformFact> Optional<T> first(
      List<PlatformFact> facts, Class<T> type) {
    return all(facts, type).stream().findFirst();
  }

  private static <T extends PlatformFact> List<T> all(List<PlatformFact> facts, Class<T> type) {
    return facts.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** A table with its header (ACPI 6.4, 5.2.6). */
  private static byte[] table(String signature, int revision, byte[] body) {
    ByteBuffer table = buffer(HEADER_BYTES + body.length);
    table.put(signature.getBytes(StandardCharsets.US_ASCII));
    table.putInt(4, table.capacity());
    table.put(8, (byte) revision);
    table.put(10, "VMM4J VMM4JPC ".getBytes(StandardCharsets.US_ASCII));
    table.putInt(24, 1); // OEM revision
    table.put(28, "VM4J".getBytes(StandardCharsets.US_ASCII));
    table.putInt(32, 1); // creator revision
    table.put(HEADER_BYTES, body);
    table.put(9, checksum(table.array(), table.capacity()));
    return table.array();
  }

  /** What makes the first {@code length} bytes add up to 0. */
  private static byte checksum(byte[] bytes, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
