package io.vmm4j.engine.machine;

import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MemoryLocation;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.engine.machine.bus.MmioBus;
import io.vmm4j.engine.machine.bus.PortBus;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.clock.VirtualTime;
import io.vmm4j.engine.machine.interrupt.InterruptMessages;
import io.vmm4j.engine.memory.DirtyPages;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** The machine as its backend sees it: takes the machine lock where the SPI says so. */
final class MachineHost implements BackendHost {
  private final Machine machine;
  private final ReentrantLock lock;
  private final PhysicalMemoryMap map;
  private final PortBus ports;
  private final MmioBus mmio;
  private final InterruptMessages messages;
  private final MachineTime time;
  private final DirtyPages dirty;
  private final Translation translation;

  MachineHost(Machine machine, Translation translation) {
    this.machine = machine;
    this.translation = translation;
    this.lock = machine.lock();
    this.map = machine.map();
    this.ports = machine.ports();
    this.mmio = machine.mmio();
    this.messages = machine.messages();
    this.time = machine.time();
    this.dirty = machine.memory().dirty();
  }

  @Override
  public int cpus() {
    return machine.plan().spec().cpus();
  }

  @Override
  public Translation translation() {
    return translation;
  }

  @Override
  public List<CpuidLeaf> cpuid() {
    return machine.plan().cpuid();
  }

  @Override
  public MemorySegment memory() {
    return machine.memory().guestSegment();
  }

  @Override
  public MemoryLocation locate(long guestPhysicalAddress) {
    return map.locate(guestPhysicalAddress);
  }

  @Override
  public void vcpuWrites(long offset, long length) {
    dirty.mark(offset, length);
  }

  @Override
  public VmClock clock() {
    return time;
  }

  @Override
  public long tscFrequencyHz() {
    return machine.plan().tscFrequencyHz();
  }

  @Override
  public void instructionsExecuted(long count) {
    if (time instanceof VirtualTime virtual) {
      virtual.instructionsExecuted(count);
    }
  }

  @Override
  public long randomSeed() {
    return machine.plan().randomSeed();
  }

  @Override
  public int readPort(int port, int size) {
    lock.lock();
    try {
      return ports.read(port, size);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void writePort(int port, int size, int value) {
    lock.lock();
    try {
      ports.write(port, size, value);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long readMmio(long guestPhysicalAddress, int size) {
    lock.lock();
    try {
      return mmio.read(guestPhysicalAddress, size);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void writeMmio(long guestPhysicalAddress, int size, long value) {
    lock.lock();
    try {
      mmio.write(guestPhysicalAddress, size, value);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int acknowledgeExternalInterrupt() {
    lock.lock();
    try {
      return messages.acknowledge();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void endOfInterrupt(int vector) {
    lock.lock();
    try {
      messages.endOfInterrupt(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    return machine.control().timers().timer("backend", name, action);
  }

  @Override
  public Thread startThread(String purpose, Runnable body) {
    return machine.control().threads().startForBackend(purpose, body);
  }

  @Override
  public void locked(Runnable task) {
    lock.lock();
    try {
      task.run();
    } finally {
      lock.unlock();
    }
  }
}
