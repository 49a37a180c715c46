package io.vmm4j.api;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.memory.GuestMemory;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * A virtual machine.
 *
 * {@snippet :
 * VmSpec spec =
 *     VmSpec.builder("hello")
 *         .memory(MemorySize.mebibytes(256))
 *         .boot(LinuxBoot.kernel(bzImage).initrd(initrd).commandLine("console=ttyS0"))
 *         .device("com1", Uart.com1())
 *         .build();
 * try (Vm vm = Vm.start(spec)) {
 *   vm.console("com1").expect("~ # ", Duration.ofSeconds(60));
 *   vm.console("com1").sendLine("poweroff -f");
 *   VmExit exit = vm.awaitExit(Duration.ofSeconds(10));
 * }
 * }
 *
 * <p><b>Threads.</b> Every method may be called from any thread. Guest code runs on threads of the
 * machine's own. <b>Failure.</b> What asks something of a guest that has ended throws {@link
 * VmStoppedException}.
 */
public interface Vm extends AutoCloseable {

  /**
   * Builds a machine and starts it.
   *
   * @throws BackendUnavailableException if the backend can't run here
   * @throws BootException if the boot source can't be loaded
   * @throws DeviceException if a device can't be attached
   */
  static Vm start(VmSpec spec) {
    Vm vm = create(spec);
    vm.resume();
    return vm;
  }

  /** Builds a machine that is paused before its first instruction. */
  static Vm create(VmSpec spec) {
    return VmEngine.get().create(Objects.requireNonNull(spec, "spec"));
  }

  /** What it was built from. */
  VmSpec spec();

  /** What it is doing. */
  VmState state();

  /** The backend that runs it, and why that one. */
  BackendSelection backend();

  /** Its clock. */
  VmClock clock();

  /** Its physical memory. */
  GuestMemory memory();

  /**
   * What a device offers to its user: its {@link Console}, its {@link PowerButton}, an interface of
   * the device's own.
   *
   * {@snippet :
   * vm.device("acpi-pm", PowerButton.class).press();
   * }
   *
   * @param path of the device
   * @param type of what is asked for, exactly as the device offers it
   * @throws IllegalArgumentException if no device of this path offers it; names those that do
   */
  <T> T device(String path, Class<T> type);

  /** All that devices offer of a type, by path, in the order in which the devices were made. */
  <T> SequencedMap<String, T> devices(Class<T> type);

  /**
   * The console of a device: its {@link Console}.
   *
   * @throws IllegalArgumentException if no device of this path has a console; names those that have
   */
  default Console console(String path) {
    return device(path, Console.class);
  }

  /**
   * Adds a device, as hot plug does: the guest goes on, and learns of it from the bus that the
   * device is on. From now on the device is a part of the machine and its snapshots.
   *
   * @param path of the new device, such as {@code pci/00:02.0/01:00.0}
   * @throws IllegalArgumentException if the path is none, or taken, or the type is not present
   * @throws DeviceException if the device can't be made
   */
  void attach(String path, DeviceConfig config);

  /**
   * Takes a device away, as a hand that pulls it out. The guest learns of it from the bus that the
   * device was on.
   *
   * @throws IllegalArgumentException if there is no such device, or the machine can't be without
   *     it: a bus with devices, an interrupt controller, a device with a console
   */
  void detach(String path);

  /** The architectural state of a vCPU; pauses it for the moment. */
  CpuState cpuState(int vcpu);

  /**
   * Its debugger: breakpoints, steps, memory through page tables, changes of registers.
   *
   * @throws io.vmm4j.api.debug.DebuggingUnsupportedException if its backend has no support for one
   */
  VmDebugger debugger();

  /** Stops guest code and guest time between two instructions. Paused already: does nothing. */
  void pause();

  /** Goes on. Running already: does nothing. */
  void resume();

  /**
   * Under {@link io.vmm4j.api.clock.ClockMode#VIRTUAL}: runs exactly so many instructions of a
   * paused machine and pauses again. Idle time is skipped. It runs fewer if the machine ends, or if
   * the guest sleeps for good: it has halted with interrupts disabled, or with no timer running, or
   * has not been woken within 10 minutes of guest time.
   *
   * @throws IllegalStateException if it is not paused, or its time is real
   */
  void step(long instructions);

  /** Takes a snapshot: pauses, captures, goes on if it was running. */
  default Snapshot snapshot() {
    return snapshot(SnapshotOptions.stopped());
  }

  /**
   * Takes a snapshot that is written as what differs from an earlier one: of this machine, of the
   * one it was forked from, or any other of a machine built alike.
   */
  default Snapshot snapshot(Snapshot parent) {
    return snapshot(SnapshotOptions.stopped().since(parent));
  }

  /**
   * Takes a snapshot.
   *
   * @throws SnapshotException.Incompatible if the parent is of a machine of another make
   */
  Snapshot snapshot(SnapshotOptions options);

  /** Writes a snapshot straight to a stream while paused, then goes on if it was running. */
  void snapshotTo(OutputStream out) throws IOException;

  /**
   * Takes this machine to the state of a snapshot of it or of one built alike; it then runs if it
   * ran before. Of a snapshot of its own, or of one it came from, only the pages that differ are
   * written. If it can't, the machine is as it was.
   *
   * <p>Its consoles are restored too: transcript, position and waiting input are the snapshot's, so
   * nothing that was printed or sent since then is left (see {@link Console}).
   *
   * @throws SnapshotException.Incompatible if the machine is of another make, or a device refuses
   *     its state
   */
  void restore(Snapshot snapshot);

  /**
   * Waits for its end.
   *
   * @throws VmTimeoutException if it has not ended by then
   */
  VmExit awaitExit(Duration timeout);

  /**
   * Presses its power button: the guest is asked to switch itself off, and may do so, later or
   * never. A paused machine takes note of it when it goes on.
   *
   * @return whether it has one: the board {@code pc} does
   */
  boolean pressPowerButton();

  /**
   * Says whether the machine ends, as {@link VmExit.Dead}, when every vCPU has halted with
   * interrupts disabled. Only a non-maskable interrupt could wake such a guest, and few machines
   * have a source of one; kernels halt so after a panic. It does not end by itself; the log has a
   * warning, and the counter {@code deadGuests} of {@link #metrics} rises. The KVM backend does not
   * see it, for its kernel keeps halted vCPUs to itself.
   *
   * @param ends whether it ends; a guest that is dead already ends its machine at once
   */
  void endWhenDead(boolean ends);

  /** Ends it at once, as {@link VmExit.Stopped}. Ended already: does nothing. */
  void stop();

  /** Figures about the run so far. */
  VmMetrics metrics();

  /**
   * Stops it and releases everything: threads, memory, files. May be called more than once. Device
   * memory views are invalid afterwards.
   *
   * @throws VmException if a device has not returned from a call for 30 seconds; the message shows
   *     where it is. Nothing can be released then, as it may still be in use; once the device
   *     returns, the guest does not go on, and a further {@code close} succeeds
   */
  @Override
  void close();
}
