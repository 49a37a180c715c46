package io.vmm4j.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The time-stamp counter of a vCPU: the host's, scaled to the guest's frequency, plus an offset.
 * Where the kernel tells the offset (Linux 5.16), counters of several vCPUs keep their distance to
 * the tick; else they are set one after the other, and the kernel makes equal what was written
 * within a second.
 */
final class TimeStampCounter {
  private static final int IA32_TIME_STAMP_COUNTER = 0x10;

  private final int vcpuFd;
  private final MsrAccess msrs;
  private final boolean hasOffset;

  TimeStampCounter(int vcpuFd, MsrAccess msrs) {
    this.vcpuFd = vcpuFd;
    this.msrs = msrs;
    this.hasOffset = attribute(Ioctl.KVM_HAS_DEVICE_ATTR, 0, false) == 0;
  }

  /** The host's counter in ticks of the guest, the same for all vCPUs; 0 where it isn't told. */
  long hostTicks() {
    return hasOffset ? msrs.get(IA32_TIME_STAMP_COUNTER) - offset() : 0;
  }

  /** The guest's counter when the host's stood at some ticks. */
  long read(long hostTicks) {
    return hasOffset ? hostTicks + offset() : msrs.get(IA32_TIME_STAMP_COUNTER);
  }

  /** Makes the guest's counter stand at a value when the host's stands at some ticks. */
  void write(long value, long hostTicks) {
    if (hasOffset) {
      attribute(Ioctl.KVM_SET_DEVICE_ATTR, value - hostTicks, true);
    } else {
      msrs.set(IA32_TIME_STAMP_COUNTER, value);
    }
  }

  private long offset() {
    return attribute(Ioctl.KVM_GET_DEVICE_ATTR, 0, true);
  }

  /** KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET: both 0. */
  private long attribute(Ioctl request, long value, boolean mustSucceed) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment place = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
      MemorySegment attribute = arena.allocate(24, 8);
      attribute.set(ValueLayout.JAVA_LONG, 16, place.address());
      int result = Libc.tryIoctl(vcpuFd, request, attribute.address());
      if (result < 0 && mustSucceed) {
        throw new KvmException(request.name(), -result);
      }
      return result < 0 ? result : place.get(ValueLayout.JAVA_LONG, 0);
    }
  }
}
