package io.vmm4j.software.machinecode;

import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.x86.CpuidModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A machine of which a processor can be made, but on which nothing may be executed. */
final class BareHost {
  private static final long MEMORY_BYTES = 1 << 20;
  private static final long TSC_HZ = 1_000_000_000;

  private BareHost() {}

  static BackendHost create() {
    MemorySegment memory = Arena.ofAuto().allocate(MEMORY_BYTES, 4096);
    return proxy(
        BackendHost.class,
        method ->
            switch (method) {
              case "translation" -> Translation.AUTO;
              case "cpus" -> 1;
              case "cpuid" -> CpuidModel.portable(1, TSC_HZ, CpuVendor.INTEL);
              case "memory" -> memory;
              case "tscFrequencyHz" -> TSC_HZ;
              case "randomSeed" -> 1L;
              case "clock" -> proxy(VmClock.class, BareHost::none);
              case "timer" -> proxy(DeviceTimer.class, BareHost::notArmed);
              default -> none(method);
            });
  }

  private interface Answers {
    @Nullable Object to(String method);
  }

  /** Cancelling is all that is done to a timer. */
  private static @Nullable Object notArmed(String method) {
    return method.equals("cancel") ? null : none(method);
  }

  private static Object none(String method) {
    throw new UnsupportedOperationException(method);
  }

  private static <T> T proxy(Class<T> type, Answers answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> answers.to(method.getName())));
  }
}
