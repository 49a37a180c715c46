package io.vmm4j.kvm;

import io.vmm4j.api.backend.VcpuDebug;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The breakpoints and the step of a debugger, by the processor's own debug registers, which the
 * guest does not see (KVM_SET_GUEST_DEBUG). So a range that is watched is of 1, 2, 4 or 8 bytes and
 * aligned, there are no more than four, and reads can't be watched without writes. The registers
 * that are left are for the first instructions that have breakpoints, the others have {@link
 * SoftwareBreakpoints}.
 */
final class KvmDebug implements VcpuDebug {
  private static final int REGISTERS = 4;
  private static final int BYTES = 72;
  private static final int DEBUG_REGISTERS = 8;
  private static final int TRANSLATION_BYTES = 24;
  private static final int TRANSLATION_PHYSICAL = 8;
  private static final int TRANSLATION_VALID = 16;
  private static final int PHYSICAL_BITS = 52;
  private static final int ENABLE = 1;
  private static final int SINGLE_STEP = 2;
  private static final int USE_SOFTWARE = 0x10000;
  private static final int USE_HARDWARE = 0x20000;
  private static final int INJECT_BP = 0x80000;
  private static final int BLOCK_INTERRUPTS = 0x100000;

  private static final int DB = 1;
  private static final int BP = 3;
  private static final long DR6_STEP = 1 << 14;
  private static final long DR7_FIXED = 0x400;
  private static final long RFLAGS_RESUME = 1 << 16;

  private final int fd;
  private final int index;
  private final SoftwareBreakpoints software;
  private final Queue<DebugStop> stops = new ConcurrentLinkedQueue<>();

  /** Those in the debug registers. */
  private volatile List<Breakpoint> registers = List.of();

  private volatile boolean stepping;
  private volatile boolean changed;
  private volatile boolean still;

  /** It stands at an instruction with a breakpoint, which it is to execute when it goes on. */
  private boolean stands;

  private long standsAt;
  private long standsAtLinear;

  KvmDebug(int fd, int index, SoftwareBreakpoints software) {
    this.fd = fd;
    this.index = index;
    this.software = software;
  }

  @Override
  public void breakpoints(Set<Breakpoint> all) {
    for (Breakpoint breakpoint : all) {
      if (!fits(breakpoint)) {
        throw new IllegalArgumentException(
            "%s: the processor's debug registers watch 1, 2, 4 or 8 bytes, aligned"
                .formatted(breakpoint));
      }
    }
    List<Breakpoint> first = new ArrayList<>(all);
    first.removeIf(breakpoint -> breakpoint.kind() == Breakpoint.Kind.EXECUTE);
    if (first.size() > REGISTERS) {
      throw new IllegalArgumentException(
          "%d watchpoints: the processor has debug registers for %d"
              .formatted(first.size(), REGISTERS));
    }
    List<Long> others = new ArrayList<>();
    for (Breakpoint breakpoint : all) {
      if (breakpoint.kind() == Breakpoint.Kind.EXECUTE) {
        if (first.size() < REGISTERS) {
          first.add(breakpoint);
        } else {
          others.add(breakpoint.linearAddress());
        }
      }
    }
    software.set(others);
    registers = List.copyOf(first);
    changed = true;
  }

  private static boolean fits(Breakpoint breakpoint) {
    long length = breakpoint.length();
    return breakpoint.kind() == Breakpoint.Kind.EXECUTE
        || length <= 8
            && Long.bitCount(length) == 1
            && (breakpoint.linearAddress() & length - 1) == 0;
  }

  @Override
  public void step(boolean one) {
    stepping = one;
    changed = true;
  }

  @Override
  public void standStill(boolean stands) {
    still = stands;
  }

  /** Whether nothing may be executed, whatever arrives. */
  boolean standsStill() {
    return still;
  }

  @Override
  public Optional<DebugStop> takeStop() {
    return Optional.ofNullable(stops.poll());
  }

  /** The guest is about to be entered. By the vCPU's thread. */
  void prepare() {
    if (changed) {
      changed = false;
      apply(stepping, software.isEmpty() ? 0 : ENABLE | USE_SOFTWARE);
    }
    if (stands) {
      stands = false;
      passRegister();
    }
  }

  /**
   * Whether the next instruction has an INT3 in its place, at which the vCPU has stood. By the
   * vCPU's thread, while none is in the guest but others.
   */
  boolean standsAtInt3() {
    return stands
        && rip() == standsAt
        && (software.isSet(standsAtLinear) || isInserted(standsAtLinear));
  }

  /** The guest is about to be entered without the INT3s, for one instruction. */
  void prepareToPass() {
    changed = true;
    apply(true, 0);
  }

  private boolean isInserted(long linearAddress) {
    OptionalLong physical = translate(linearAddress);
    return physical.isPresent() && software.isInserted(physical.getAsLong());
  }

  private void apply(boolean step, int more) {
    List<Breakpoint> present = registers;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment debug = arena.allocate(BYTES, 8);
      int control = more;
      if (!present.isEmpty()) {
        control |= ENABLE | USE_HARDWARE;
        long dr7 = DR7_FIXED;
        for (int i = 0; i < present.size(); i++) {
          Breakpoint breakpoint = present.get(i);
          debug.set(ValueLayout.JAVA_LONG, DEBUG_REGISTERS + 8L * i, breakpoint.linearAddress());
          dr7 |= 2L << 2 * i | condition(breakpoint) << 16 + 4 * i;
        }
        debug.set(ValueLayout.JAVA_LONG, DEBUG_REGISTERS + 8L * 7, dr7);
      }
      if (step) {
        control |= ENABLE | SINGLE_STEP | BLOCK_INTERRUPTS;
      }
      debug.set(ValueLayout.JAVA_INT, 0, control);
      int result = Libc.tryIoctl(fd, Ioctl.KVM_SET_GUEST_DEBUG, debug.address());
      if (result == -Libc.EINVAL && step) {
        // Kernels before 5.15 can't hold interrupts back while they step.
        debug.set(ValueLayout.JAVA_INT, 0, control & ~BLOCK_INTERRUPTS);
        result = Libc.tryIoctl(fd, Ioctl.KVM_SET_GUEST_DEBUG, debug.address());
      }
      if (result < 0) {
        throw new KvmException(Ioctl.KVM_SET_GUEST_DEBUG.name(), -result);
      }
    }
  }

  /** Type and length as in DR7 (Intel SDM volume 3, 18.2.4). */
  private static long condition(Breakpoint breakpoint) {
    int type =
        switch (breakpoint.kind()) {
          case EXECUTE -> 0;
          case WRITE -> 1;
          default -> 3;
        };
    if (type == 0) {
      return 0;
    }
    int length =
        switch (breakpoint.length()) {
          case 1 -> 0;
          case 2 -> 1;
          case 4 -> 3;
          default -> 2;
        };
    return type | length << 2;
  }

  /** Lets the instruction run at whose breakpoint it stands (RFLAGS.RF; SDM volume 3, 18.3.1.1). */
  private void passRegister() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment regs = arena.allocate(ArchitecturalState.REGS_BYTES, 8);
      Libc.ioctl(fd, Ioctl.KVM_GET_REGS, regs);
      if (regs.get(ValueLayout.JAVA_LONG, ArchitecturalState.REGS_RIP) == standsAt) {
        long rflags = regs.get(ValueLayout.JAVA_LONG, ArchitecturalState.REGS_RFLAGS);
        regs.set(ValueLayout.JAVA_LONG, ArchitecturalState.REGS_RFLAGS, rflags | RFLAGS_RESUME);
        Libc.ioctl(fd, Ioctl.KVM_SET_REGS, regs);
      }
    }
  }

  /** The guest was left for a debugger: whether one wants it to stand. By the vCPU's thread. */
  boolean stopped(RunPage page) {
    stands = false;
    return switch (page.debugException()) {
      case DB -> stoppedByRegisters(page);
      case BP -> stoppedByInt3(page.debugAddress());
      default -> false;
    };
  }

  private boolean stoppedByRegisters(RunPage page) {
    long dr6 = page.debugDr6();
    List<Breakpoint> present = registers;
    for (int i = 0; i < present.size(); i++) {
      if ((dr6 & 1L << i) != 0) {
        Breakpoint hit = present.get(i);
        if (hit.kind() == Breakpoint.Kind.EXECUTE) {
          stand(new DebugStop.BreakpointHit(index, hit));
          standAt(page.debugAddress());
        } else {
          stand(new DebugStop.WatchpointHit(index, hit, hit.linearAddress()));
        }
        return true;
      }
    }
    if ((dr6 & DR6_STEP) == 0 || !stepping) {
      return false;
    }
    stand(new DebugStop.Stepped(index));
    return true;
  }

  private boolean stoppedByInt3(long linearAddress) {
    if (software.isSet(linearAddress)) {
      stand(new DebugStop.BreakpointHit(index, Breakpoint.at(linearAddress)));
      standAt(linearAddress);
      return true;
    }
    if (isInserted(linearAddress)) {
      standAt(linearAddress); // the same memory at another address: passed and not told
    } else {
      apply(stepping, ENABLE | USE_SOFTWARE | INJECT_BP); // the guest's own
    }
    return false;
  }

  private void standAt(long linearAddress) {
    stands = true;
    standsAt = rip();
    standsAtLinear = linearAddress;
  }

  /** From a linear to a guest physical address, by this vCPU's paging. While it doesn't run. */
  OptionalLong translate(long linearAddress) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment translation = arena.allocate(TRANSLATION_BYTES, 8);
      translation.set(ValueLayout.JAVA_LONG, 0, linearAddress);
      Libc.ioctl(fd, Ioctl.KVM_TRANSLATE, translation);
      long physical = translation.get(ValueLayout.JAVA_LONG, TRANSLATION_PHYSICAL);
      boolean valid = translation.get(ValueLayout.JAVA_BYTE, TRANSLATION_VALID) != 0;
      return valid && physical >>> PHYSICAL_BITS == 0
          ? OptionalLong.of(physical)
          : OptionalLong.empty();
    }
  }

  private long rip() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment regs = arena.allocate(ArchitecturalState.REGS_BYTES, 8);
      Libc.ioctl(fd, Ioctl.KVM_GET_REGS, regs);
      return regs.get(ValueLayout.JAVA_LONG, ArchitecturalState.REGS_RIP);
    }
  }

  private void stand(DebugStop stop) {
    stepping = false;
    changed = true;
    stops.add(stop);
  }
}
