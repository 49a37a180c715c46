package io.vmm4j.engine.machine;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.api.device.ExternalInterruptSource;
import io.vmm4j.api.device.InterruptController;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.InterruptSignal;
import io.vmm4j.api.device.MessageInterrupts;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.device.PositionedOutput;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.machine.bus.Claimant;
import io.vmm4j.engine.machine.interrupt.MessageSignal;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.MachineDescription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntConsumer;

/** The machine as one device sees it: passes each wish to the part that fulfils it. */
final class MachineDeviceContext implements DeviceContext {
  private final Machine machine;
  private final String path;
  private final boolean restoring;
  private final Claimant claimant;
  private boolean interruptController;

  MachineDeviceContext(Machine machine, String path, boolean restoring) {
    this.machine = machine;
    this.path = path;
    this.restoring = restoring;
    this.claimant = new Claimant(path, machine.numberOf(path));
  }

  /** Whether it takes interrupt lines: then it is restored before those that drive them. */
  boolean isInterruptController() {
    return interruptController;
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public boolean restoring() {
    return restoring;
  }

  @Override
  public VmClock clock() {
    return machine.time();
  }

  @Override
  public long randomSeed() {
    String name = "%016x/%s".formatted(machine.plan().randomSeed(), path);
    UUID mixed = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    // Each half has constant bits, of version and variant, at another place.
    return mixed.getMostSignificantBits() ^ mixed.getLeastSignificantBits();
  }

  @Override
  public int cpus() {
    return machine.plan().spec().cpus();
  }

  @Override
  public MemorySize ram() {
    return machine.plan().spec().memory();
  }

  @Override
  public GuestMemory memory() {
    return machine.guestMemory();
  }

  @Override
  public AddressClaim claimPorts(int first, int count, AccessWidth width, PortHandler handler) {
    return machine.ports().claim(claimant, first, count, width, handler);
  }

  @Override
  public AddressClaim claimMmio(long base, long length, AccessWidth width, MmioHandler handler) {
    return machine.mmio().claim(claimant, base, length, width, handler);
  }

  @Override
  public AddressClaim claimPorts(int count, AccessWidth width, PortHandler handler) {
    return machine.ports().claim(claimant, count, width, handler);
  }

  @Override
  public AddressClaim claimMmio(long length, AccessWidth width, MmioHandler handler) {
    return machine.mmio().claim(claimant, length, width, handler);
  }

  @Override
  public <T> void offerBus(Class<T> type, T bus) {
    machine.buses().offer(path, type, bus);
  }

  @Override
  public <T> T bus(Class<T> type) {
    return machine.buses().above(path, type);
  }

  @Override
  public InterruptLine interruptLine(int line) {
    return machine.lines().driver(path, line);
  }

  @Override
  public void claimInterruptLines(int first, int count, InterruptController controller) {
    machine.lines().claim(path, first, count, controller);
    interruptController = true;
  }

  @Override
  public InterruptLine connectExternalInterrupt(ExternalInterruptSource source) {
    return machine.messages().connectExternalInterrupt(path, source);
  }

  @Override
  public MessageInterrupts messageInterrupts() {
    return new MessageInterrupts() {
      @Override
      public void send(long address, int data) {
        machine.messages().send(address, data);
      }

      @Override
      public void onEndOfInterrupt(IntConsumer listener) {
        machine.messages().onEndOfInterrupt(path, listener);
      }
    };
  }

  @Override
  public InterruptSignal interruptSignal() {
    return machine
        .processors()
        .interruptSignal()
        .orElseGet(() -> new MessageSignal(machine.messages(), machine.lock(), this::execute));
  }

  @Override
  public void nonMaskableInterrupt() {
    machine.messages().nonMaskableInterrupt();
  }

  @Override
  public DeviceMemory deviceMemory(String name, MemorySize size) {
    return machine.deviceMemories().get(path, machine.numberOf(path), name, size);
  }

  @Override
  public DeviceMemory sparseMemory(String name, MemorySize most) {
    MemorySize given =
        MemorySize.bytes(Math.min(most.bytes(), machine.sparseBytes().givenTo(path)));
    return machine
        .deviceMemories()
        .get(path, machine.numberOf(path), name + MachineDescription.SPARSE, given);
  }

  @Override
  public boolean acceptsOtherContents() {
    return machine.acceptsOtherContents();
  }

  @Override
  public Optional<DeviceMemory> restoredMemory(String name) {
    return restoring
        ? machine
            .deviceMemories()
            .find(path, name)
            .or(() -> machine.deviceMemories().find(path, name + MachineDescription.SPARSE))
            .map(Function.identity())
        : Optional.empty();
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    return machine.control().timers().timer(path, name, action);
  }

  @Override
  public ByteChannelEndpoint console() {
    return machine.consoleOf(path).endpoint();
  }

  @Override
  public void describe(PlatformFact fact) {
    machine.describe(fact);
  }

  @Override
  public <T> void offer(Class<T> type, T endpoint) {
    machine.capabilities().offer(path, type, endpoint);
  }

  @Override
  public void requestExit(VmExit exit) {
    machine.control().requestExit(exit);
  }

  @Override
  public void execute(Runnable task) {
    machine.control().executeForDevice(path, task);
  }

  @Override
  public void replaceFile(Path target, PositionedOutput.Contents contents) throws IOException {
    AtomicFileWriter.writePositioned(target, contents);
  }

  @Override
  public DeviceWorker worker(String name, DeviceWorker.Requests requests) {
    return machine.workers().add(path, name, requests);
  }
}
