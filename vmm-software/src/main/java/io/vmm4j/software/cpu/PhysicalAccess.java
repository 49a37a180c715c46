package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Loads and stores at guest physical addresses: plain memory, the local APIC's page, and what the
 * machine answers for. On the vCPU's thread.
 */
public final class PhysicalAccess {
  private final Cpu cpu;
  private final BackendHost host;
  private final MemorySegment memory;
  private final CodeCache code;
  private MemoryLocation location = nowhere();

  PhysicalAccess(Cpu cpu, BackendHost host, CodeCache code) {
    this.cpu = cpu;
    this.host = host;
    this.memory = host.memory();
    this.code = code;
  }

  private static MemoryLocation nowhere() {
    return new MemoryLocation(0, 0, -1, false);
  }

  /** The map of physical memory is another. */
  void forgetMap() {
    location = nowhere();
  }

  /** What lies at a guest physical address. */
  MemoryLocation locate(long physical) {
    MemoryLocation at = location;
    if (physical - at.base() >= 0 && physical - at.base() < at.length()) {
      return at;
    }
    at = host.locate(physical);
    location = at;
    return at;
  }

  /** The offset in the segment of a guest physical address, or -1 if there is no memory. */
  long offsetOf(long physical) {
    MemoryLocation at = locate(physical);
    return at.isMemory() ? physical - at.base() + at.offset() : -1;
  }

  /** A load of 1, 2, 4 or 8 bytes, zero-extended; no page is crossed. */
  public long read(long physical, int size) {
    if (cpu.apic.claims(physical)) {
      cpu.accountInstructions();
      return heeding(cpu.apic.readMmio((int) (physical & 0xFFF), size));
    }
    MemoryLocation at = locate(physical);
    if (!at.isMemory()) {
      cpu.accountInstructions();
      return heeding(host.readMmio(physical, size));
    }
    long value = PlainMemory.get(memory, physical - at.base() + at.offset(), size);
    if (cpu.parallel) {
      VarHandle.acquireFence();
    }
    return value;
  }

  private long heeding(long value) {
    heedSignals();
    return value;
  }

  /**
   * Ends the block if a device has caused something that is looked at between blocks: an interrupt,
   * one for another vCPU, a change of the memory map under this very block.
   */
  private void heedSignals() {
    if (cpu.signals() != 0) {
      cpu.leaveBlock(LeaveReason.SIGNAL);
    }
  }

  /** A store of 1, 2, 4 or 8 bytes; no page is crossed. */
  public void write(long physical, int size, long value) {
    long offset = isPlain(physical) ? offsetOf(physical) : -1;
    if (offset < 0 || !code.pageTables().isWatched(offset)) {
      writeEntry(physical, size, value);
      return;
    }
    if (offset % 8 + size > 8) {
      writeEntry(physical, size, value);
      code.pageTables().written(offset, size);
      return;
    }
    long entry = offset & -8;
    long before = PlainMemory.get(memory, entry, 8);
    writeEntry(physical, size, value);
    code.pageTables().stored(entry, before, PlainMemory.get(memory, entry, 8));
  }

  private boolean isPlain(long physical) {
    return !cpu.apic.claims(physical) && locate(physical).isMemory();
  }

  /**
   * The same for the processor itself, which sets accessed and dirty bits: translations stay what
   * they are.
   */
  void writeEntry(long physical, int size, long value) {
    if (cpu.apic.claims(physical)) {
      cpu.accountInstructions();
      cpu.apic.writeMmio((int) (physical & 0xFFF), size, value);
      heedSignals();
      return;
    }
    MemoryLocation at = locate(physical);
    if (!at.isMemory() || !at.writable()) {
      cpu.accountInstructions();
      host.writeMmio(physical, size, value);
      heedSignals();
      return;
    }
    long offset = physical - at.base() + at.offset();
    host.vcpuWrites(offset, size);
    if (cpu.parallel) {
      code.store(memory, offset, size, value);
      return;
    }
    PlainMemory.put(memory, offset, size, value);
    if (code.holdsCode(offset)) {
      code.written(offset, size);
    }
  }

  /**
   * Replaces a value that was read, in one step for all vCPUs; at a multiple of the size.
   *
   * @return false if it has changed meanwhile. What is not plain memory is just stored to.
   */
  boolean compareAndSet(long physical, int size, long expected, long value) {
    MemoryLocation at = locate(physical);
    if (!cpu.parallel || !at.isMemory() || !at.writable() || cpu.apic.claims(physical)) {
      writeEntry(physical, size, value);
      return true;
    }
    long offset = physical - at.base() + at.offset();
    host.vcpuWrites(offset, size);
    return code.compareAndSet(memory, offset, size, expected, value);
  }
}
