package io.vmm4j.kvm;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.MsrState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** KVM_GET_MSRS and KVM_SET_MSRS of a vCPU. */
final class MsrAccess {
  private static final int HEADER_BYTES = 8;
  private static final int ENTRY_BYTES = 16;

  private final int vcpuFd;

  MsrAccess(int vcpuFd) {
    this.vcpuFd = vcpuFd;
  }

  long get(int index) {
    return get(new int[] {index}).getFirst().value();
  }

  void set(int index, long value) {
    set(List.of(new MsrState(index, value)));
  }

  /**
   * Reads registers.
   *
   * @throws KvmException if one of them does not exist; named
   */
  List<MsrState> get(int[] indices) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * indices.length, 8);
      list.set(ValueLayout.JAVA_INT, 0, indices.length);
      for (int i = 0; i < indices.length; i++) {
        list.set(ValueLayout.JAVA_INT, HEADER_BYTES + (long) ENTRY_BYTES * i, indices[i]);
      }
      int done = Libc.ioctl(vcpuFd, Ioctl.KVM_GET_MSRS, list);
      if (done != indices.length) {
        throw new KvmException(
            "%s of MSR 0x%x".formatted(Ioctl.KVM_GET_MSRS, indices[done]), Libc.EINVAL);
      }
      List<MsrState> values = new ArrayList<>();
      for (int i = 0; i < indices.length; i++) {
        long at = HEADER_BYTES + (long) ENTRY_BYTES * i;
        values.add(new MsrState(indices[i], list.get(ValueLayout.JAVA_LONG, at + 8)));
      }
      return values;
    }
  }

  /**
   * Writes registers, in this order.
   *
   * @throws SnapshotException.Incompatible if one is refused; named
   */
  void set(List<MsrState> values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * values.size(), 8);
      list.set(ValueLayout.JAVA_INT, 0, values.size());
      long at = HEADER_BYTES;
      for (MsrState value : values) {
        list.set(ValueLayout.JAVA_INT, at, value.index());
        list.set(ValueLayout.JAVA_LONG, at + 8, value.value());
        at += ENTRY_BYTES;
      }
      int done = Libc.ioctl(vcpuFd, Ioctl.KVM_SET_MSRS, list);
      if (done != values.size()) {
        MsrState refused = values.get(done);
        throw new SnapshotException.Incompatible(
            "MSR 0x%x".formatted(refused.index()),
            "KVM has no such register here, or does not take 0x%x".formatted(refused.value()));
      }
    }
  }
}
