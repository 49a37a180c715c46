package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.VcpuDebug;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The breakpoints and the step of a debugger, of which the guest sees nothing. They cost nothing
 * where none is near:
 *
 * <ul>
 *   <li>Execution: no block goes on past an address whose place in its page is that of a
 *       breakpoint, and none that begins there is linked or found by linear address; the lookup
 *       gives an empty block in its stead, and the run loop looks whether the address is one. The
 *       place in the page decides since blocks are kept by physical address.
 *   <li>Data: a watched page stays out of the TLB's fast paths, as with the guest's own breakpoints
 *       ({@link DebugAddresses}).
 * </ul>
 */
public final class DebuggerStops implements VcpuDebug {
  private static final long NOWHERE = -1;

  private final Cpu cpu;
  private final int index;
  private final Queue<DebugStop> stops = new ConcurrentLinkedQueue<>();
  private final long[] placesInPage = new long[64];
  private Map<Long, Breakpoint> execution = Map.of();
  private boolean executes;
  private List<Breakpoint> data = List.of();
  private @Nullable DebugStop watchpoint;
  private volatile boolean stepping;
  private volatile boolean still;

  /** Where it stood last, and after how many instructions: that breakpoint lets it go on. */
  private long stoodAt;

  private long stoodAfter = NOWHERE;

  /** Where the run loop has looked: the next block may begin there. */
  private long passAt;

  private long passAfter = NOWHERE;

  DebuggerStops(Cpu cpu, int index) {
    this.cpu = cpu;
    this.index = index;
  }

  // ---- what a debugger asks ----

  @Override
  public void breakpoints(Set<Breakpoint> breakpoints) {
    Map<Long, Breakpoint> execute = new HashMap<>();
    List<Breakpoint> others = new ArrayList<>();
    Arrays.fill(placesInPage, 0);
    for (Breakpoint breakpoint : breakpoints) {
      if (breakpoint.kind() == Breakpoint.Kind.EXECUTE) {
        execute.put(breakpoint.linearAddress(), breakpoint);
        int place = (int) breakpoint.linearAddress() & 0xFFF;
        placesInPage[place >>> 6] |= 1L << place;
      } else {
        others.add(breakpoint);
      }
    }
    execution = execute;
    executes = !execute.isEmpty();
    data = List.copyOf(others);
    cpu.mmu.code().invalidatePlaces(this);
    cpu.mmu.flush();
  }

  @Override
  public void step(boolean one) {
    stepping = one;
  }

  @Override
  public void standStill(boolean stands) {
    still = stands;
  }

  /** Whether nothing may be executed, whatever arrives. */
  public boolean standsStill() {
    return still;
  }

  @Override
  public Optional<DebugStop> takeStop() {
    return Optional.ofNullable(stops.poll());
  }

  // ---- what the run loop asks ----

  boolean stepping() {
    return stepping;
  }

  /**
   * Whether maskable interrupts wait for the next instruction: it is stepped under real time, or
   * the vCPU stands there on leave of its breakpoint, which it would meet again after the handler.
   */
  boolean holdsInterrupts() {
    return !cpu.halted
        && (stepping && cpu.host.clock().mode() == ClockMode.REAL
            || stoodAfter == cpu.instructions && stoodAt == linear());
  }

  /** Whether there is anything for {@link #standsHere} to look at. */
  public boolean onExecution() {
    return executes;
  }

  /** Looks whether the next instruction has a breakpoint; if it has not, the next block may run. */
  boolean standsHere() {
    long linear = linear();
    Breakpoint hit = execution.get(linear);
    if (hit == null || stoodAfter == cpu.instructions && stoodAt == linear) {
      passAt = linear;
      passAfter = cpu.instructions;
      return false;
    }
    stand(new DebugStop.BreakpointHit(index, hit));
    return true;
  }

  /** Whether a range that is watched was touched since the last look. */
  boolean wasTouched() {
    DebugStop hit = watchpoint;
    if (hit == null) {
      return false;
    }
    stand(hit);
    return true;
  }

  /** Ends the step, unless nobody wants it any more. */
  boolean hasStepped() {
    if (!stepping) {
      return false;
    }
    if (!wasTouched()) {
      stand(new DebugStop.Stepped(index));
    }
    return true;
  }

  private void stand(DebugStop stop) {
    stepping = false;
    watchpoint = null;
    stoodAt = linear();
    stoodAfter = cpu.instructions;
    stops.add(stop);
  }

  private long linear() {
    return cpu.codeSize == 8 ? cpu.rip : cpu.seg[Cpu.CS].base + cpu.rip & 0xFFFFFFFFL;
  }

  // ---- what the code cache asks ----

  /** Whether an instruction at a linear address may have a breakpoint: no block goes on there. */
  boolean endsBlocks() {
    for (long places : placesInPage) {
      if (places != 0) {
        return true;
      }
    }
    return false;
  }

  boolean endsBlockAt(long linear) {
    return (placesInPage[(int) (linear & 0xFFF) >>> 6] >>> linear & 1) != 0;
  }

  /** Whether a block that begins there must not be run yet. */
  boolean stopsBlockAt(long linear) {
    return endsBlockAt(linear) && !(passAt == linear && passAfter == cpu.instructions);
  }

  // ---- what memory accesses ask ----

  /** Whether a watched range lies in a page, whose accesses must then be looked at. */
  boolean watches(long page) {
    for (Breakpoint breakpoint : data) {
      long first = breakpoint.linearAddress() & ~0xFFFL;
      long last = breakpoint.linearAddress() + breakpoint.length() - 1 & ~0xFFFL;
      if (page - first >= 0 && last - page >= 0) {
        return true;
      }
    }
    return false;
  }

  /** Notes the watched range that an access touches; the vCPU stands after the instruction. */
  void check(long linear, int size, int access) {
    for (Breakpoint breakpoint : data) {
      long first = breakpoint.linearAddress();
      boolean fits =
          switch (breakpoint.kind()) {
            case READ -> access == Mmu.READ;
            case WRITE -> access == Mmu.WRITE;
            default -> true;
          };
      if (fits && linear - first < breakpoint.length() && first - linear < size) {
        if (watchpoint == null) {
          long touched = linear - first > 0 ? linear : first;
          watchpoint = new DebugStop.WatchpointHit(index, breakpoint, touched);
        }
        cpu.signal(Cpu.SIGNAL_DEBUG);
        cpu.leaveBlock(LeaveReason.BREAKPOINT);
      }
    }
  }
}
