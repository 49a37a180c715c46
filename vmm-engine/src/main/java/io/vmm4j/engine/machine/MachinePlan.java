package io.vmm4j.engine.machine;

import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A specification with every default resolved: all that a machine is built from.
 *
 * @param spec with start time and seed present
 * @param devices all devices by path, the board's among them, in the order of attachment
 * @param startTime the guest's wall-clock time at guest time 0
 * @param randomSeed the seed of what is drawn at random
 * @param cpuid what the guest sees of CPUID
 * @param tscFrequencyHz the frequency of its time-stamp counters
 */
public record MachinePlan(
    VmSpec spec,
    SequencedMap<String, DeviceConfig> devices,
    Instant startTime,
    long randomSeed,
    List<CpuidLeaf> cpuid,
    long tscFrequencyHz) {

  /**
   * The devices of a specification: the board's, each replaced by one of its path, then others. A
   * bus comes before the devices below its path.
   */
  static SequencedMap<String, DeviceConfig> devices(VmSpec spec, Board board) {
    SequencedMap<String, DeviceConfig> all = new LinkedHashMap<>(board.devices());
    all.putAll(spec.devices());
    SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>();
    for (String path : all.keySet()) {
      for (int end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
        add(all, path.substring(0, end), devices);
      }
      add(all, path, devices);
    }
    return devices;
  }

  /** The same with other devices. */
  MachinePlan withDevices(SequencedMap<String, DeviceConfig> now) {
    Map<String, DeviceConfig> own = new LinkedHashMap<>(now);
    own.keySet().removeIf(path -> devices.containsKey(path) && !spec.devices().containsKey(path));
    VmSpec changed =
        new VmSpec(
            spec.name(),
            spec.backend(),
            spec.memory(),
            spec.cpus(),
            spec.boot(),
            spec.board(),
            own,
            spec.clock(),
            spec.startTime(),
            spec.randomSeed(),
            spec.consoleLimit(),
            spec.tscFrequencyHz(),
            spec.withoutCpuFeatures(),
            spec.withCpuFeatures(),
            spec.cpuVendor());
    return new MachinePlan(changed, now, startTime, randomSeed, cpuid, tscFrequencyHz);
  }

  private static void add(
      Map<String, DeviceConfig> all, String path, Map<String, DeviceConfig> target) {
    DeviceConfig config = all.get(path);
    if (config != null) {
      target.put(path, config);
    }
  }
}
