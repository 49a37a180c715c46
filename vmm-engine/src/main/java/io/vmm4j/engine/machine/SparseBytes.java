package io.vmm4j.engine.machine;

import io.vmm4j.api.VmSpec;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.engine.memory.MachineMemory;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How much sparse memory each device of a machine gets, which its address space has from the start:
 * what they want, or an equal share of what the host can map.
 */
record SparseBytes(Map<String, Long> given) {
  /** None is announced: devices get of what is left. */
  static final SparseBytes NONE = new SparseBytes(Map.of());

  private static final long PAGE = 4096;

  /** What a device gets that has announced nothing: it is attached to a machine that runs. */
  private static final long UNANNOUNCED = MachineMemory.DEVICE_MEMORY_BYTES / 2;

  static SparseBytes of(DeviceCatalog catalog, MachinePlan plan) {
    long other = plan.spec().memory().bytes() + MachineMemory.DEVICE_MEMORY_BYTES;
    long host = HostRoom.mappableBytes() - other;
    // Half of it: a snapshot of the machine is mapped beside other things.
    long most = Math.clamp(host / 2, UNANNOUNCED, VmSpec.MAX_SPARSE_MEMORY.bytes());
    return of(wanted(catalog, plan), most);
  }

  static SparseBytes of(Map<String, Long> wanted, long most) {
    long total = wanted.values().stream().mapToLong(Long::longValue).sum();
    if (total <= most) {
      return new SparseBytes(wanted);
    }
    long share = most / wanted.size() / PAGE * PAGE;
    Map<String, Long> shares = new LinkedHashMap<>(wanted);
    shares.replaceAll((path, bytes) -> Math.min(bytes, share));
    return new SparseBytes(shares);
  }

  private static Map<String, Long> wanted(DeviceCatalog catalog, MachinePlan plan) {
    Map<String, Long> wanted = new LinkedHashMap<>();
    plan.devices()
        .forEach((path, config) -> {
          long bytes =
              catalog
                  .factory(config.deviceType())
                  .map(factory -> bytes(factory, config))
                  .orElse(0L);
          if (bytes > 0) {
            wanted.put(path, Math.min(bytes, VmSpec.MAX_SPARSE_MEMORY.bytes()));
          }
        });
    return wanted;
  }

  private static <C extends Record & DeviceConfig> long bytes(
      DeviceFactory<C, ?> factory, DeviceConfig config) {
    Class<C> type = factory.configSchema().type();
    return type.isInstance(config) ? factory.sparseMemoryBytes(type.cast(config)) : 0;
  }

  long total() {
    return given.values().stream().mapToLong(Long::longValue).sum();
  }

  long givenTo(String path) {
    return given.getOrDefault(path, UNANNOUNCED);
  }
}
