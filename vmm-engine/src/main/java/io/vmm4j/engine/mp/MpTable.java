package io.vmm4j.engine.mp;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PlatformFact.InterruptOverride;
import io.vmm4j.api.device.PlatformFact.IoApic;
import io.vmm4j.api.device.PlatformFact.LegacyPics;
import io.vmm4j.api.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A machine's MP table (Intel MultiProcessor Specification 1.4, chapter 4): the floating pointer
 * structure and, behind it, the configuration table. It tells guests that know no ACPI, or are told
 * not to use it, of processors, I/O APICs, and where ISA interrupts arrive: what the MADT tells the
 * others, from the same facts.
 *
 * <p>Interrupts from 16 on belong to no ISA bus, so a table without PCI can't name them. The id of
 * an I/O APIC is what its register reads; it may be that of a local APIC too, whose ids are apart
 * from those of I/O APICs since messages no longer travel on a bus of their own.
 *
 * <p>Immutable; from any thread.
 */
public final class MpTable {
  /** Where the floating pointer lies: at the start of the BIOS ROM, which guests search for it. */
  public static final long ADDRESS = 0xF_0000;

  /** Specification 1.4, in the pointer and the header. */
  private static final byte REVISION = 4;

  private static final int POINTER_BYTES = 16;
  private static final int HEADER_BYTES = 44;
  private static final int PROCESSOR_BYTES = 20;
  private static final int ENTRY_BYTES = 8;

  private static final byte PROCESSOR = 0;
  private static final byte BUS = 1;
  private static final byte IO_APIC = 2;
  private static final byte IO_INTERRUPT = 3;
  private static final byte LOCAL_INTERRUPT = 4;

  private static final byte VECTORED = 0;
  private static final byte NMI = 1;
  private static final byte EXT_INT = 3;

  private static final int LOCAL_APIC_ADDRESS = 0xFEE0_0000;
  private static final byte LOCAL_APIC_VERSION = 0x14;
  private static final byte IO_APIC_VERSION = 0x20;
  private static final byte ALL_LOCAL_APICS = (byte) 0xFF;
  private static final int ISA_INTERRUPTS = 16;

  /** The pointer and the table; the position is behind what is there. */
  private final ByteBuffer table;

  private int entries;

  private MpTable(int capacity) {
    table = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Builds the table, if there is anything it can tell of: a machine without an I/O APIC has none.
   *
   * @param facts what the devices state
   * @param cpus how many vCPUs there are, with APIC ids from 0, at most 255; 0 is the first to run
   * @param signature EAX of CPUID leaf 1
   * @param features EDX of CPUID leaf 1
   * @throws IllegalArgumentException if there are no processors or too many
   */
  public static Optional<MpTable> build(
      List<PlatformFact> facts, int cpus, int signature, int features) {
    if (cpus < 1 || cpus > 255) {
      throw new IllegalArgumentException("cpus: 1 to 255, not " + cpus);
    }
    List<IoApic> ioApics = only(facts, IoApic.class);
    if (ioApics.isEmpty()) {
      return Optional.empty();
    }
    int capacity =
        POINTER_BYTES
            + HEADER_BYTES
            + PROCESSOR_BYTES * cpus
            + ENTRY_BYTES * (ioApics.size() + ISA_INTERRUPTS + 3); // and a bus, ExtINT, NMI
    MpTable mp = new MpTable(capacity);
    mp.table.position(POINTER_BYTES + HEADER_BYTES);
    for (int cpu = 0; cpu < cpus; cpu++) {
      mp.processor(cpu, signature, features);
    }
    mp.entry(BUS).put((byte) 0).put(ascii("ISA   "));
    for (IoApic apic : ioApics) {
      mp.entry(IO_APIC).put((byte) apic.id()).put(IO_APIC_VERSION).put((byte) 1); // enabled
      mp.table.putInt((int) apic.address());
    }
    mp.isaInterrupts(ioApics, only(facts, InterruptOverride.class));
    if (!only(facts, LegacyPics.class).isEmpty()) {
      mp.interrupt(LOCAL_INTERRUPT, EXT_INT, 0, 0, (byte) 0, 0);
    }
    mp.interrupt(LOCAL_INTERRUPT, NMI, 0, 0, ALL_LOCAL_APICS, 1);
    mp.header();
    mp.pointer();
    return Optional.of(mp);
  }

  /** The bytes from {@link #ADDRESS} on; a copy. */
  public byte[] bytes() {
    byte[] bytes = new byte[table.position()];
    table.get(0, bytes);
    return bytes;
  }

  /** Copies the table to its place. */
  public void writeTo(GuestMemory memory) {
    memory.write(ADDRESS, bytes());
  }

  private ByteBuffer entry(byte type) {
    entries++;
    return table.put(type);
  }

  /** 4.3.1. */
  private void processor(int id, int signature, int features) {
    int flags = 1; // enabled
    if (id == 0) {
      flags |= 1 << 1; // the bootstrap processor
    }
    entry(PROCESSOR).put((byte) id).put(LOCAL_APIC_VERSION).put((byte) flags);
    table.putInt(signature).putInt(features).putLong(0);
  }

  /** An assignment (4.3.4) for each ISA interrupt that reaches an I/O APIC on a pin of its own. */
  private void isaInterrupts(List<IoApic> ioApics, List<InterruptOverride> overrides) {
    for (int irq = 0; irq < ISA_INTERRUPTS; irq++) {
      int isaIrq = irq;
      Optional<InterruptOverride> override =
          overrides.stream().filter(candidate -> candidate.isaIrq() == isaIrq).findFirst();
      boolean pinIsAnothers =
          overrides.stream().anyMatch(candidate -> candidate.globalInterrupt() == isaIrq);
      if (override.isEmpty() && pinIsAnothers) {
        continue;
      }
      int globalInterrupt = override.map(InterruptOverride::globalInterrupt).orElse(irq);
      int flags = override.map(MpTable::flags).orElse(0); // 0: as the bus has it
      ioApics.stream()
          .filter(apic -> apic.firstInterrupt() <= globalInterrupt)
          .max(Comparator.comparingInt(IoApic::firstInterrupt))
          .ifPresent(apic ->
              interrupt(
                  IO_INTERRUPT,
                  VECTORED,
                  flags,
                  isaIrq,
                  (byte) apic.id(),
                  globalInterrupt - apic.firstInterrupt()));
    }
  }

  /** Polarity in bits 0 and 1, trigger mode in bits 2 and 3, each 1 or 3. */
  private static int flags(InterruptOverride override) {
    int polarity = override.activeLow() ? 3 : 1;
    int trigger = override.levelTriggered() ? 3 : 1;
    return polarity | trigger << 2;
  }

  /** 4.3.4 and 4.3.5, from the ISA bus. */
  private void interrupt(byte entry, byte kind, int flags, int irq, byte apic, int pin) {
    entry(entry).put(kind).putShort((short) flags).put((byte) 0).put((byte) irq);
    table.put(apic).put((byte) pin);
  }

  /** 4.2; the extended table is empty. */
  private void header() {
    int at = POINTER_BYTES;
    table.put(at, ascii("PCMP"));
    table.putShort(at + 4, (short) (table.position() - at));
    table.put(at + 6, REVISION);
    table.put(at + 8, ascii("VMM4J   VMM4JPC     "));
    table.putShort(at + 34, (short) entries);
    table.putInt(at + 36, LOCAL_APIC_ADDRESS);
    table.put(at + 7, complement(at, table.position()));
  }

  /** 4.1. No IMCR: the PICs reach the first processor through its local APIC (virtual wire). */
  private void pointer() {
    table.put(0, ascii("_MP_"));
    table.putInt(4, (int) ADDRESS + POINTER_BYTES);
    table.put(8, (byte) 1); // in units of 16 bytes
    table.put(9, REVISION);
    table.put(10, complement(0, POINTER_BYTES));
  }

  /** What makes the bytes in {@code [from, to)} add up to 0. */
  private byte complement(int from, int to) {
    byte rest = 0;
    for (int at = from; at < to; at++) {
      rest -= table.get(at);
    }
    return rest;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static <T extends PlatformFact> List<T> only(List<PlatformFact> facts, Class<T> type) {
    return facts.stream().filter(type::isInstance).map(type::cast).toList();
  }
}
