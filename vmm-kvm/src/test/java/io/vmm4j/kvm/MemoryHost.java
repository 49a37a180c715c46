package io.vmm4j.kvm;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;

/** A machine of 16 MiB of memory at 0. Nothing else may be asked of it. */
final class MemoryHost {
  static final long MEMORY_BYTES = 16 << 20;

  private MemoryHost() {}

  static BackendHost create() {
    MemorySegment memory = Arena.ofAuto().allocate(MEMORY_BYTES, 4096);
    return (BackendHost)
        Proxy.newProxyInstance(
            MemoryHost.class.getClassLoader(),
            new Class<?>[] {BackendHost.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "memory" -> memory;
                  case "locate" -> locate((long) arguments[0]);
                  case "vcpuWrites" -> null;
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private static MemoryLocation locate(long guestPhysicalAddress) {
    return guestPhysicalAddress < MEMORY_BYTES
        ? new MemoryLocation(0, MEMORY_BYTES, 0, true)
        : new MemoryLocation(MEMORY_BYTES, (1L << 52) - MEMORY_BYTES, -1, false);
  }
}
