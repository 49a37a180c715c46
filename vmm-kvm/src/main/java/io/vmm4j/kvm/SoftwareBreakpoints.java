package io.vmm4j.kvm;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongFunction;

/**
 * The breakpoints for which no debug register is left: an INT3 in place of the instruction's first
 * byte. It is there only while vCPUs run: the guest, and who reads its memory while it runs, can
 * see it, but nobody who has the machine stand.
 *
 * <p>An address is looked up again each time the machine goes on; while no page tables have it,
 * what they last had holds. For one thread at a time, while no vCPU is in the guest.
 */
final class SoftwareBreakpoints {
  private static final byte INT3 = (byte) 0xCC;

  private final BackendHost host;
  private final LongFunction<OptionalLong> translation;

  /** Where the code of a linear address is in the machine's memory. */
  private final Map<Long, Long> offsets = new LinkedHashMap<>();

  /** What was where an INT3 is now. */
  private final Map<Long, Byte> replaced = new HashMap<>();

  /**
   * None yet.
   *
   * @param translation from linear to guest physical addresses, by whichever vCPU has one
   */
  SoftwareBreakpoints(BackendHost host, LongFunction<OptionalLong> translation) {
    this.host = host;
    this.translation = translation;
  }

  /**
   * Takes on the breakpoints, in place of those before.
   *
   * @throws IllegalArgumentException if an address leads to no memory; those before are kept then
   */
  void set(List<Long> linearAddresses) {
    Map<Long, Long> found = new LinkedHashMap<>();
    for (long linear : linearAddresses) {
      OptionalLong offset = codeAt(linear);
      Long before = offsets.get(linear);
      if (offset.isPresent()) {
        found.put(linear, offset.getAsLong());
      } else if (before != null) {
        found.put(linear, before);
      } else {
        throw new IllegalArgumentException(
            "breakpoint at 0x%x: the debug registers are taken, and no memory is mapped there to hold it"
                .formatted(linear));
      }
    }
    offsets.clear();
    offsets.putAll(found);
  }

  private OptionalLong codeAt(long linear) {
    OptionalLong physical = translation.apply(linear);
    return physical.isPresent() ? offset(physical.getAsLong()) : OptionalLong.empty();
  }

  private OptionalLong offset(long physical) {
    MemoryLocation there = host.locate(physical);
    return there.isMemory()
        ? OptionalLong.of(there.offset() + physical - there.base())
        : OptionalLong.empty();
  }

  /** The guest goes on: looks the addresses up and puts the instructions in. */
  void lookUpAndInsert() {
    offsets.replaceAll((linear, last) -> codeAt(linear).orElse(last));
    insert();
  }

  /** Puts the instructions in where they were before. */
  void insert() {
    for (long offset : offsets.values()) {
      replaced.computeIfAbsent(
          offset,
          there -> {
            byte old = host.memory().get(ValueLayout.JAVA_BYTE, there);
            write(there, INT3);
            return old;
          });
    }
  }

  /** Puts back what was there, but for what the guest has overwritten. */
  void remove() {
    replaced.forEach((offset, old) -> {
      if (host.memory().get(ValueLayout.JAVA_BYTE, offset) == INT3) {
        write(offset, old);
      }
    });
    replaced.clear();
  }

  private void write(long offset, byte value) {
    host.vcpuWrites(offset, 1);
    host.memory().set(ValueLayout.JAVA_BYTE, offset, value);
  }

  boolean isEmpty() {
    return offsets.isEmpty();
  }

  /** Whether one is at a linear address. */
  boolean isSet(long linearAddress) {
    return offsets.containsKey(linearAddress);
  }

  /** Whether one is in memory at a guest physical address, for whatever linear address. */
  boolean isInserted(long physicalAddress) {
    OptionalLong offset = offset(physicalAddress);
    return offset.isPresent() && replaced.containsKey(offset.getAsLong());
  }
}
