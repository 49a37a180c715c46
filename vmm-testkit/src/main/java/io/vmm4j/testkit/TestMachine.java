package io.vmm4j.testkit;

import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.engine.machine.DeviceBench;
import io.vmm4j.engine.machine.bus.Claimed;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.UUID;

/**
 * A machine around a device, for its tests. It is a whole machine of the engine: buses, interrupt
 * lines, timers, memory and snapshots are those that guests meet. Only its processors stand: the
 * test does what a guest would, and moves the time.
 *
 * {@snippet :
 * try (TestMachine machine = TestMachine.with(new UartFactory(), Uart.com1())) {
 *   machine.out8(0x3F8, 'x');
 *   assertThat(machine.output()).isEqualTo("x");
 * }
 * }
 *
 * <p>What the device throws is thrown by the call that led to it, as an {@link AssertionError}. For
 * one thread.
 */
public final class TestMachine implements AutoCloseable {
  /** The wall-clock time at guest time 0: 2026-01-02 03:04:05 UTC, a Friday. */
  public static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  /** How many interrupt lines there are. */
  public static final int LINES = 24;

  /** The path of a device for which no other is chosen. */
  public static final String PATH = "device";

  private static final MemorySize RAM = MemorySize.mebibytes(16);

  /**
   * A message to the local APICs.
   *
   * @param address as {@link io.vmm4j.api.device.MessageInterrupts#send} takes it
   * @param data as {@link io.vmm4j.api.device.MessageInterrupts#send} takes it
   */
  public record Message(long address, int data) {}

  /**
   * A range that the device has claimed.
   *
   * @param ports whether of ports, or of a window
   * @param base where it was put, or -1 while off the bus
   * @param length how many ports or bytes
   * @param width the widest access in bytes
   * @param doorbells its doorbells as text, in the order of their making
   */
  public record Claim(boolean ports, long base, long length, int width, List<String> doorbells) {}

  private final DeviceBench bench;
  private final String path;

  private TestMachine(DeviceBench bench, String path) {
    this.bench = bench;
    this.path = path;
  }

  /** A machine of 16 MiB of RAM and one device. */
  public static <C extends Record & DeviceConfig> TestMachine with(
      DeviceFactory<C, ?> factory, C config) {
    return builder().device(PATH, factory, config).build();
  }

  /** Begins a machine of several devices. */
  public static Builder builder() {
    return new Builder();
  }

  /** What a machine is to have; the last device is the one under test. */
  public static final class Builder {
    private final Map<String, DeviceFactory<?, ?>> factories = new LinkedHashMap<>();
    private final SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>();
    private MemorySize ram = RAM;

    private Builder() {}

    /** Sets how much RAM there is. */
    public Builder ram(MemorySize size) {
      ram = size;
      return this;
    }

    /** Adds a device. */
    public <C extends Record & DeviceConfig> Builder device(
        String path, DeviceFactory<C, ?> factory, C config) {
      factories.put(factory.type(), factory);
      devices.put(path, config);
      return this;
    }

    /**
     * Makes the machine.
     *
     * @throws io.vmm4j.api.DeviceException if a device can't be made
     */
    public TestMachine build() {
      return new TestMachine(
          DeviceBench.create(List.copyOf(factories.values()), devices, ram, START),
          devices.lastEntry().getKey());
    }
  }

  /** Another machine, made from a snapshot of this one. */
  public TestMachine twin() {
    return new TestMachine(bench.twin(), path);
  }

  /** Takes this machine to the state of another one that was built alike. */
  public void become(TestMachine other) {
    try (Snapshot snapshot = other.bench.snapshot()) {
      bench.restore(snapshot);
    }
    clearEvents();
  }

  /** The machine as its user has it. */
  public Vm vm() {
    return bench.vm();
  }

  /** The path of the device under test. */
  public String path() {
    return path;
  }

  // ---- what a guest does ----

  /** IN of 1, 2 or 4 bytes. */
  public int in(int port, int size) {
    return bench.in(port, size);
  }

  /** OUT of 1, 2 or 4 bytes. */
  public void out(int port, int size, int value) {
    bench.out(port, size, value);
  }

  /** IN of a byte. */
  public int in8(int port) {
    return in(port, 1);
  }

  /** OUT of a byte. */
  public void out8(int port, int value) {
    out(port, 1, value);
  }

  /** A load of 1, 2, 4 or 8 bytes from a window. */
  public long readMmio(long address, int size) {
    return bench.readMmio(address, size);
  }

  /** A store of 1, 2, 4 or 8 bytes to a window. */
  public void writeMmio(long address, int size, long value) {
    bench.writeMmio(address, size, value);
  }

  /** Guest physical memory. */
  public GuestMemory memory() {
    return bench.vm().memory();
  }

  /** The processor's acknowledge cycle; 255 if no device drives INTR. */
  public int acknowledge() {
    return bench.acknowledge();
  }

  /** Tells devices that a local APIC has ended a level-triggered interrupt. */
  public void endInterrupt(int vector) {
    bench.endInterrupt(vector);
  }

  // ---- what the world does ----

  /** Lets guest time pass: tasks run, and timers fire as they fall due. */
  public void advance(Duration time) {
    bench.advance(time.toNanos());
  }

  /** Runs the tasks that devices have asked for. */
  public void runTasks() {
    bench.runTasks();
  }

  /** Drives an interrupt line as another device would. */
  public void setLine(int line, boolean asserted) {
    bench.setLine(line, asserted);
  }

  /** Sends text to the device's console, as ISO-8859-1, as far as there is room. */
  public void send(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    console().offer(bytes, 0, bytes.length);
    bench.runTasks();
  }

  private Console console() {
    return bench.vm().device(path, Console.class);
  }

  /** Whether the device has a console. */
  boolean hasConsole() {
    return bench.vm().devices(Console.class).containsKey(path);
  }

  /** What the device has transmitted to its console, as ISO-8859-1. */
  public String output() {
    return new String(console().transcriptBytes(), StandardCharsets.ISO_8859_1);
  }

  /** Presses every power button, and lets devices notice. */
  public void pressPowerButton() {
    bench.vm().pressPowerButton();
    bench.runTasks();
  }

  /** Resets the device alone. */
  public void reset() {
    bench.reset(path);
  }

  /** Tells the device that it belongs to a clone. */
  public void becomeClone(UUID identity) {
    bench.becomeClone(path, identity);
  }

  /** Takes the input that waits at the device's console away. */
  void dropInput() {
    bench.dropInput(path);
  }

  void setTime(long nanoTime) {
    bench.setTime(nanoTime);
  }

  void closeDevice() {
    bench.closeDevice(path);
  }

  // ---- what is seen of the device ----

  /** Its state as it stands in a snapshot. */
  public FieldMap state() {
    return bench.state(path);
  }

  /** The guest time in nanoseconds. */
  public long nanoTime() {
    return bench.nanoTime();
  }

  /** Its claims, on the buses or off. */
  public List<Claim> claims() {
    List<Claim> found = new ArrayList<>();
    for (Claimed claim : bench.claims(path)) {
      found.add(
          new Claim(
              claim.ports(),
              claim.base(),
              claim.length(),
              claim.width(),
              claim.doorbells().stream().map(Object::toString).toList()));
    }
    return found;
  }

  /**
   * Rings a doorbell, wherever its claim is by now: the ring of a store may be told later.
   *
   * @param claim its index in {@link #claims}
   * @param bell its index in {@link Claim#doorbells}
   */
  public void ring(int claim, int bell) {
    bench.ring(path, claim, bell);
  }

  /** Where the guest sees its device memory, as text. */
  public List<String> mappings() {
    return bench.mappings(path);
  }

  /** Its armed timers by name, each with its deadline. */
  public Map<String, Long> timers() {
    return bench.timers(path);
  }

  /** How many timers have fired. */
  public long firings() {
    return bench.firings();
  }

  /** Whether it asserts an interrupt line. */
  public boolean line(int line) {
    return bench.line(path, line);
  }

  /** Whether a device of a path asserts an interrupt line, such as the bus of the device. */
  public boolean line(String device, int line) {
    return bench.line(device, line);
  }

  /** How often devices have begun to assert an interrupt line. */
  public int edges(int line) {
    return bench.edges(line);
  }

  /** The INTR pin. */
  public boolean externalInterrupt() {
    return bench.externalInterrupt();
  }

  /** The messages sent, oldest first. */
  public List<Message> messages() {
    return bench.messages().stream().map(m -> new Message(m.address(), m.data())).toList();
  }

  /** How often NMI was pulsed. */
  public int nonMaskableInterrupts() {
    return bench.nonMaskableInterrupts();
  }

  /** The exits asked for, oldest first. */
  public List<VmExit> exits() {
    return bench.exits();
  }

  /** The facts that devices have stated. */
  public List<PlatformFact> facts() {
    return bench.facts();
  }

  /** What devices did to the outside, in order, as text. */
  public List<String> events() {
    return bench.events();
  }

  /** Forgets the events so far. */
  public void clearEvents() {
    bench.clearEvents();
  }

  @Override
  public void close() {
    bench.close();
  }
}
