package io.vmm4j.software;

import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MemoryLocation;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.software.cpu.VcpuThreads;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * The machine as one of several vCPUs sees it that run in parallel: while its thread waits for the
 * machine lock, or a device does something, the vCPU is out ({@link VcpuThreads}).
 */
final class VcpuHost implements BackendHost {
  private final BackendHost host;
  private final VcpuThreads.Member member;

  VcpuHost(BackendHost host, VcpuThreads.Member member) {
    this.host = host;
    this.member = member;
  }

  private void outside(Runnable task) {
    boolean out = member.goOut();
    try {
      task.run();
    } finally {
      if (out) {
        member.comeBack();
      }
    }
  }

  private int outsideInt(IntSupplier task) {
    boolean out = member.goOut();
    try {
      return task.getAsInt();
    } finally {
      if (out) {
        member.comeBack();
      }
    }
  }

  private long outsideLong(LongSupplier task) {
    boolean out = member.goOut();
    try {
      return task.getAsLong();
    } finally {
      if (out) {
        member.comeBack();
      }
    }
  }

  @Override
  public int readPort(int port, int size) {
    return outsideInt(() -> host.readPort(port, size));
  }

  @Override
  public void writePort(int port, int size, int value) {
    outside(() -> host.writePort(port, size, value));
  }

  @Override
  public long readMmio(long guestPhysicalAddress, int size) {
    return outsideLong(() -> host.readMmio(guestPhysicalAddress, size));
  }

  @Override
  public void writeMmio(long guestPhysicalAddress, int size, long value) {
    outside(() -> host.writeMmio(guestPhysicalAddress, size, value));
  }

  @Override
  public int acknowledgeExternalInterrupt() {
    return outsideInt(host::acknowledgeExternalInterrupt);
  }

  @Override
  public void endOfInterrupt(int vector) {
    outside(() -> host.endOfInterrupt(vector));
  }

  @Override
  public void locked(Runnable task) {
    outside(() -> host.locked(task));
  }

  // ---- what takes no lock ----

  @Override
  public int cpus() {
    return host.cpus();
  }

  @Override
  public Translation translation() {
    return host.translation();
  }

  @Override
  public List<CpuidLeaf> cpuid() {
    return host.cpuid();
  }

  @Override
  public MemorySegment memory() {
    return host.memory();
  }

  @Override
  public MemoryLocation locate(long guestPhysicalAddress) {
    return host.locate(guestPhysicalAddress);
  }

  @Override
  public void vcpuWrites(long offset, long length) {
    host.vcpuWrites(offset, length);
  }

  @Override
  public VmClock clock() {
    return host.clock();
  }

  @Override
  public long tscFrequencyHz() {
    return host.tscFrequencyHz();
  }

  @Override
  public void instructionsExecuted(long count) {
    host.instructionsExecuted(count);
  }

  @Override
  public long randomSeed() {
    return host.randomSeed();
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    return host.timer(name, action);
  }

  @Override
  public Thread startThread(String purpose, Runnable body) {
    return host.startThread(purpose, body);
  }
}
