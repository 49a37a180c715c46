package io.vmm4j.api.device;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.memory.GuestMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The machine as one device sees it. Claims are made in {@link DeviceFactory#create}. */
public interface DeviceContext {

  /** The device's path in the machine, such as {@code com1} or {@code pci/00:03.0}. */
  String path();

  /**
   * Whether the machine is being restored: {@link DeviceModel#restore} follows, and device memory
   * gets its contents from the snapshot. So a device need not have, in {@link
   * DeviceFactory#create}, what only a fresh machine needs, such as an image to load.
   */
  default boolean restoring() {
    return false;
  }

  /**
   * Whether the user has said that contents outside of the snapshot, such as a disk's file, may be
   * others than it names ({@link io.vmm4j.api.ResumeOptions#acceptChangedDisks}). Otherwise a
   * device refuses them, by a {@link io.vmm4j.api.DeviceException} in {@link DeviceModel#restore}.
   */
  default boolean acceptsOtherContents() {
    return false;
  }

  /** The machine's clock. */
  VmClock clock();

  /**
   * The seed of what this device draws at random: the same in each machine of the same {@link
   * io.vmm4j.api.VmSpec#randomSeed()}, another for a device of another path, and for a clone.
   */
  long randomSeed();

  /** How many processors the machine has. */
  int cpus();

  /** How much RAM the machine has. */
  MemorySize ram();

  /** Guest physical memory, for DMA. */
  GuestMemory memory();

  /**
   * Claims ports without a place, such as a BAR: off the bus until {@link AddressClaim#moveTo}.
   *
   * @param count at least 1
   */
  AddressClaim claimPorts(int count, AccessWidth width, PortHandler handler);

  /**
   * Claims ports {@code [first, first + count)}, whose place the board fixes.
   *
   * @param first 0 to 0xFFFF
   * @throws io.vmm4j.api.DeviceException if another claim is fixed there; the message names whose
   */
  AddressClaim claimPorts(int first, int count, AccessWidth width, PortHandler handler);

  /**
   * Claims a window of guest physical addresses without a place, such as a BAR: off the bus until
   * {@link AddressClaim#moveTo}. Its accesses are trapped.
   *
   * @param length at least 1
   */
  AddressClaim claimMmio(long length, AccessWidth width, MmioHandler handler);

  /**
   * Claims a window whose place the board fixes.
   *
   * @throws io.vmm4j.api.DeviceException if it overlaps RAM or another claim that is fixed
   */
  AddressClaim claimMmio(long base, long length, AccessWidth width, MmioHandler handler);

  /**
   * An interrupt line of the board: 0 to 15 are the ISA IRQs, as they reach the PICs and (by the
   * board's overrides) the I/O APIC; 16 to 23 reach the I/O APIC only.
   *
   * @throws io.vmm4j.api.DeviceException if there is no such line
   */
  InterruptLine interruptLine(int line);

  /** Registers an interrupt controller for lines {@code [first, first + count)}. */
  void claimInterruptLines(int first, int count, InterruptController controller);

  /**
   * Connects a controller to the processors' INTR pin (LINT0 of the local APICs): the PIC.
   *
   * @param source asked for the vector when a processor acknowledges
   * @return the pin: asserted while an interrupt is requested
   * @throws io.vmm4j.api.DeviceException if another controller is connected already
   */
  InterruptLine connectExternalInterrupt(ExternalInterruptSource source);

  /** Messages to the local APICs (MSI, I/O APIC). */
  MessageInterrupts messageInterrupts();

  /**
   * A signal for threads of the device's own, mute at first. For the life of the device; each call
   * makes another one.
   */
  InterruptSignal interruptSignal();

  /** Pulses NMI on the bootstrap processor (LINT1). */
  void nonMaskableInterrupt();

  /**
   * Device memory of this device, made on the first call with a name and unmapped at first. The
   * contents and the mappings are saved and restored by the machine.
   *
   * @param name unique within the device, such as {@code bootrom} or {@code framebuffer}
   * @param size a multiple of 4 KiB
   * @throws io.vmm4j.api.DeviceException if there is no room, or the name has another size
   */
  DeviceMemory deviceMemory(String name, MemorySize size);

  /**
   * The same for memory that is never mapped, and of which a small part is likely to be written.
   * The host keeps no room for it; a device asks for that by {@link DeviceMemory#keepRoom} as it
   * writes more.
   *
   * <p>It may be smaller than was asked for: all that a machine has must be mapped at once, which
   * Linux allows for as much as the host has RAM and swap space. A device that is attached to a
   * machine gets what that has left.
   *
   * @param most a multiple of 4 KiB, as {@link DeviceFactory#sparseMemoryBytes} says
   * @throws io.vmm4j.api.DeviceException if there is none
   */
  DeviceMemory sparseMemory(String name, MemorySize most);

  /**
   * A timer of the machine's clock. Whether and when it is armed belongs to the device's state.
   *
   * @param action called with the machine lock held
   */
  DeviceTimer timer(String name, Runnable action);

  /**
   * Device memory of a name in the snapshot that is being restored, for a device that learns its
   * size from there; none in a fresh machine.
   */
  default Optional<DeviceMemory> restoredMemory(String name) {
    return Optional.empty();
  }

  /**
   * The byte stream that connects this device with the host. The machine offers its other end as
   * the {@link io.vmm4j.api.Console} of the device's path.
   */
  ByteChannelEndpoint console();

  /**
   * Offers something that the machine's user reaches by {@link io.vmm4j.api.Vm#device}: a power
   * button, a port of a network, an interface of the device's own.
   *
   * <p>The endpoint is called by any thread, at any time, without the machine lock. It comes to the
   * device through {@link #execute}. It outlives the machine and must bear calls then.
   *
   * @param type an interface, by which it is asked for
   * @param endpoint what is offered, once for each type
   * @throws io.vmm4j.api.DeviceException if this device has offered one of this type
   */
  <T> void offer(Class<T> type, T endpoint);

  /**
   * Makes this device a bus for the devices below its path: {@code pci} for {@code pci/00:03.0}. A
   * bus is made, reset and restored before them.
   *
   * @param type an interface, by which they ask for it
   * @param bus called by them with the machine lock held
   * @throws io.vmm4j.api.DeviceException if this device is a bus of this type already
   */
  <T> void offerBus(Class<T> type, T bus);

  /**
   * The bus that this device is on: of a type, and of the devices above its path the nearest.
   *
   * @throws io.vmm4j.api.DeviceException if there is none
   */
  <T> T bus(Class<T> type);

  /** States a fact about the hardware, from which firmware tables (ACPI) are built. */
  void describe(PlatformFact fact);

  /** Ends the machine after the current instruction. */
  void requestExit(VmExit exit);

  /**
   * A thread for requests that take long. For the life of the device.
   *
   * @param name unique within the device
   */
  DeviceWorker worker(String name, DeviceWorker.Requests requests);

  /**
   * Runs a task soon with the machine lock held. From any thread; dropped once the machine ends.
   */
  void execute(Runnable task);

  /**
   * Replaces a file of the host as a whole: at any moment there is the old one or the complete new
   * one, which outlives a power failure once this has returned. Any thread, without the machine
   * lock.
   *
   * @throws java.io.IOException if it can't be written, or what the contents throw; then the old
   *     one is as it was
   */
  void replaceFile(Path target, PositionedOutput.Contents contents) throws IOException;
}
