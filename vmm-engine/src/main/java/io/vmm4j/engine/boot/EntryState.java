package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.SegmentAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * The processor as firmware and a boot loader hand it over to a kernel: caches on, memory
 * write-back by default, the local APIC in virtual wire mode (Intel MultiProcessor Specification
 * 1.4, 3.6.2.2), interrupts off.
 */
final class EntryState {
  /** The selector of the flat code segment: Linux's __BOOT_CS. */
  static final int CODE_SELECTOR = 0x10;

  /** The selector of the flat data segment: Linux's __BOOT_DS. */
  static final int DATA_SELECTOR = 0x18;

  private static final int TASK_SELECTOR = 0x20;

  private static final long CODE_32 = 0x00CF_9B00_0000_FFFFL;
  private static final long CODE_64 = 0x00AF_9B00_0000_FFFFL;
  private static final long DATA = 0x00CF_9300_0000_FFFFL;
  private static final long TASK_32 = 0x0000_8B00_0000_0067L;

  private static final long MTRR_ENABLED_WRITE_BACK = 1 << 11 | 6;

  private static final long FOUR_GIB = 1L << 32;
  private static final long LARGE_PAGE = 2 << 20;
  private static final int PRESENT_WRITABLE = 0b11;
  private static final int PAGE_SIZE_BIT = 1 << 7;

  private EntryState() {}

  /** Flat 32-bit protected mode without paging. */
  static CpuState protectedMode(GuestMemory memory, long entry, long[] gpr) {
    writeDescriptors(memory, CODE_32);
    return state(
        gpr, entry, SegmentAttributes.FLAT_CODE, ControlBits.CR0_PE | ControlBits.CR0_ET, 0, 0, 0);
  }

  /** 64-bit mode with the lower 4 GiB mapped one to one. */
  static CpuState longMode(GuestMemory memory, long entry, long[] gpr) {
    writeDescriptors(memory, CODE_64);
    writeIdentityMap(memory);
    return state(
        gpr,
        entry,
        SegmentAttributes.LONG_CODE,
        ControlBits.CR0_PE | ControlBits.CR0_ET | ControlBits.CR0_NE | ControlBits.CR0_PG,
        BootArea.PAGE_TABLES,
        ControlBits.CR4_PAE,
        ControlBits.EFER_LME | ControlBits.EFER_LMA);
  }

  /** Real mode with all segments at {@code address}, entered at its first byte. */
  static CpuState realMode(int address) {
    return realMode(address >> 4, address >> 4, 0);
  }

  /** Real mode, entered at the first byte of the code segment. */
  static CpuState realMode(int codeSelector, int dataSelector, int stackPointer) {
    CpuState reset = ResetState.bootstrapProcessor();
    SegmentState data =
        new SegmentState(
            dataSelector, (long) dataSelector << 4, 0xFFFF, SegmentAttributes.REAL_MODE_DATA);
    long[] gpr = new long[16];
    gpr[4] = stackPointer;
    return new CpuState(
        gpr,
        0,
        0x2,
        data,
        new SegmentState(
            codeSelector, (long) codeSelector << 4, 0xFFFF, SegmentAttributes.REAL_MODE_CODE),
        data,
        data,
        data,
        data,
        reset.ldtr(),
        reset.tr(),
        reset.gdtr(),
        new TableState(0, 0x3FF),
        ControlBits.CR0_ET,
        0,
        0,
        0,
        reset.dr(),
        reset.xcr0(),
        reset.xsave(),
        msrs(reset, 0),
        reset.events(),
        reset.activity(),
        virtualWire(reset.apic()),
        0);
  }

  private static CpuState state(
      long[] gpr, long entry, int codeAttributes, long cr0, long cr3, long cr4, long efer) {
    CpuState reset = ResetState.bootstrapProcessor();
    SegmentState data =
        new SegmentState(DATA_SELECTOR, 0, 0xFFFF_FFFFL, SegmentAttributes.FLAT_DATA);
    return new CpuState(
        gpr,
        entry,
        0x2,
        data,
        new SegmentState(CODE_SELECTOR, 0, 0xFFFF_FFFFL, codeAttributes),
        data,
        data,
        data,
        data,
        new SegmentState(0, 0, 0xFFFF, SegmentAttributes.LDT | SegmentState.UNUSABLE),
        new SegmentState(TASK_SELECTOR, BootArea.TSS, 0x67, SegmentAttributes.BUSY_TSS),
        new TableState(BootArea.GDT, 6 * 8 - 1),
        new TableState(0, 0),
        cr0,
        0,
        cr3,
        cr4,
        reset.dr(),
        reset.xcr0(),
        reset.xsave(),
        msrs(reset, efer),
        reset.events(),
        reset.activity(),
        virtualWire(reset.apic()),
        0);
  }

  private static List<MsrState> msrs(CpuState reset, long efer) {
    List<MsrState> msrs = new ArrayList<>();
    for (MsrState msr : reset.msrs()) {
      msrs.add(
          switch (msr.index()) {
            case ResetState.IA32_EFER -> new MsrState(msr.index(), efer);
            case ResetState.IA32_MTRR_DEF_TYPE ->
                new MsrState(msr.index(), MTRR_ENABLED_WRITE_BACK);
            default -> msr;
          });
    }
    return List.copyOf(msrs);
  }

  private static LocalApicState virtualWire(LocalApicState reset) {
    int[] registers = reset.registers().clone();
    registers[0x0F] = 0x1FF; // enabled, spurious vector 0xFF
    registers[0x35] = 0x700; // LINT0: ExtINT
    registers[0x36] = 0x400; // LINT1: NMI
    return new LocalApicState(reset.id(), registers, -1, false, false, 0);
  }

  private static void writeDescriptors(GuestMemory memory, long code) {
    memory.writeLong(BootArea.GDT, 0);
    memory.writeLong(BootArea.GDT + 8, 0);
    memory.writeLong(BootArea.GDT + CODE_SELECTOR, code);
    memory.writeLong(BootArea.GDT + DATA_SELECTOR, DATA);
    memory.writeLong(BootArea.GDT + TASK_SELECTOR, taskDescriptor(BootArea.TSS));
    memory.writeLong(BootArea.GDT + TASK_SELECTOR + 8, 0); // the upper half in long mode
    memory.write(BootArea.TSS, new byte[0x68]);
  }

  /** With base bits 23 to 0 in bits 39 to 16; the area lies below 16 MiB. */
  private static long taskDescriptor(long base) {
    return TASK_32 | base << 16;
  }

  private static void writeIdentityMap(GuestMemory memory) {
    long directoryPointers = BootArea.PAGE_TABLES + 0x1000;
    long directories = directoryPointers + 0x1000;
    memory.write(BootArea.PAGE_TABLES, new byte[0x2000]);
    memory.writeLong(BootArea.PAGE_TABLES, directoryPointers | PRESENT_WRITABLE);
    for (int i = 0; i < 4; i++) {
      memory.writeLong(directoryPointers + 8 * i, directories + 0x1000 * i | PRESENT_WRITABLE);
    }
    for (long address = 0; address < FOUR_GIB; address += LARGE_PAGE) {
      memory.writeLong(
          directories + address / LARGE_PAGE * 8, address | PRESENT_WRITABLE | PAGE_SIZE_BIT);
    }
  }
}
