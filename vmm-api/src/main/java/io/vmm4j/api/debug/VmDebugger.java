package io.vmm4j.api.debug;

import io.vmm4j.api.backend.CpuState;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * What a debugger does to a machine, besides what {@link io.vmm4j.api.Vm} offers everyone: {@code
 * pause}, {@code resume}, {@code cpuState}, physical memory. The guest notices none of it: its
 * memory, debug registers and instruction counts are what they would be, unless it is told to
 * change them. Breakpoints and steps are host state and in no snapshot; they outlast {@code
 * restore}.
 *
 * {@snippet :
 * VmDebugger debugger = vm.debugger();
 * BlockingQueue<DebugStop> stops = new LinkedBlockingQueue<>();
 * try (VmDebugger.Listening listening = debugger.onStop(stops::add)) {
 *   debugger.add(Breakpoint.at(0xffffffff81000000L));
 *   vm.resume();
 *   DebugStop stop = stops.take();
 *   vm.pause(); // waits until every vCPU stands
 *   CpuState there = vm.cpuState(0);
 *   debugger.step(0);
 * }
 * }
 *
 * <p><b>Threads.</b> Every method may be called from any thread; each holds the machine for the
 * moment if it runs. <b>Failure.</b> A machine that was closed gives {@link
 * io.vmm4j.api.VmStoppedException}; an index that is not of a vCPU {@link
 * IllegalArgumentException}.
 */
public interface VmDebugger {

  /** Ends what {@link #onStop} has begun. */
  interface Listening extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Changes the architectural state of a vCPU.
   *
   * @throws io.vmm4j.api.SnapshotException.Incompatible if the backend can't take it on
   */
  void update(int vcpu, UnaryOperator<CpuState> change);

  /**
   * Where a linear address leads in a vCPU's present address space, whatever its access rights;
   * empty if nowhere. Sets no accessed or dirty bit.
   */
  OptionalLong guestPhysicalAddress(int vcpu, long linearAddress);

  /**
   * Reads memory through a vCPU's page tables, whatever their access rights.
   *
   * @param length 0 to 16 MiB
   * @throws LinearAddressException if some of it leads to no memory
   */
  byte[] read(int vcpu, long linearAddress, int length);

  /**
   * Writes memory through a vCPU's page tables, whatever their access rights.
   *
   * @throws LinearAddressException if some of it leads to no memory, or to none that the host can
   *     write; nothing is written then
   */
  void write(int vcpu, long linearAddress, byte[] bytes);

  /**
   * Sets a breakpoint for every vCPU. Set already: does nothing.
   *
   * <p>On KVM the processor's debug registers are used first, and then an INT3 in the guest's code,
   * which a guest that reads its code can see while it runs.
   *
   * @throws IllegalArgumentException if the processor has no means for it: the message says which
   * @implNote Execution is looked at where blocks of decoded code begin and end, watched pages
   *     leave the fast path: what is not near a breakpoint runs as fast as ever.
   */
  void add(Breakpoint breakpoint);

  /** Removes a breakpoint. Not set: does nothing. */
  void remove(Breakpoint breakpoint);

  /** The breakpoints that are set. */
  Set<Breakpoint> breakpoints();

  /**
   * Lets a paused machine go on until one vCPU has executed one instruction, or has entered the
   * handler of an exception that it raised; other vCPUs run meanwhile. Returns at once; {@link
   * DebugStop.Stepped} tells that it is done. {@code pause} and {@code resume} end the step.
   *
   * <p>Under real time, interrupts wait while it steps, or each step would end in the timer's
   * handler; under virtual time they come when they would come without a debugger. A halted vCPU
   * steps when something wakes it.
   *
   * @throws IllegalStateException if the machine is not paused
   */
  void step(int vcpu);

  /**
   * As {@link #step(int)}, while other vCPUs stand: they execute nothing, and what is sent to them
   * waits. Under virtual time this changes in which order vCPUs run.
   *
   * @param running the vCPUs that may run meanwhile, with that one or without it
   * @throws IllegalStateException if the machine is not paused
   */
  void step(int vcpu, Set<Integer> running);

  /**
   * Lets a paused machine go on with some of its vCPUs, while the others stand, until the next
   * {@code pause}, {@code resume} or step. Under virtual time this changes in which order vCPUs
   * run.
   *
   * @param running at least one
   * @throws IllegalStateException if the machine is not paused
   */
  void resume(Set<Integer> running);

  /**
   * Registers who is told when the machine stands for a breakpoint, a step or its end. The machine
   * is {@code Paused} by then, though other vCPUs may be finishing an instruction: {@code pause}
   * waits for them. From such a place {@code resume} goes on even where a breakpoint is set.
   *
   * @param listener called by a thread of the machine, with its locks held perhaps: it must neither
   *     wait nor ask anything of the machine
   */
  Listening onStop(Consumer<DebugStop> listener);
}
