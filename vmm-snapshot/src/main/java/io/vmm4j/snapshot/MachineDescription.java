package io.vmm4j.snapshot;

import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.state.FieldMap;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The whole configuration of a machine, every default resolved: a snapshot is restored from this
 * and needs no matching arguments.
 *
 * @param name for messages and thread names
 * @param memoryBytes the size of the RAM, that of the region {@link #RAM}
 * @param cpus how many vCPUs
 * @param board the board's name; its devices are among {@code devices}
 * @param devices every device, in the order of attachment
 * @param clock how time passes
 * @param tscFrequencyHz the frequency of the guest's time-stamp counter
 * @param startTime the guest's wall-clock time at its first instruction
 * @param cpuid CPUID as the guest sees it
 * @param randomSeed the seed from which random numbers are drawn after a restore
 * @param consoleLimitBytes how much of each console's transcript is kept
 * @param backend the name of the backend that ran it; information only
 * @param regions RAM and every device memory
 * @param memoryMap where RAM lies; device memory's places are in {@link MappingState}s
 */
public record MachineDescription(
    String name,
    long memoryBytes,
    int cpus,
    String board,
    List<Device> devices,
    ClockMode clock,
    long tscFrequencyHz,
    Instant startTime,
    List<CpuidLeaf> cpuid,
    long randomSeed,
    long consoleLimitBytes,
    String backend,
    List<Region> regions,
    List<Range> memoryMap) {

  /** The name of the region that holds the RAM. */
  public static final String RAM = "ram";

  /** Copies the lists and checks that regions and ranges fit together. */
  public MachineDescription {
    devices = List.copyOf(devices);
    cpuid = List.copyOf(cpuid);
    regions = List.copyOf(regions);
    memoryMap = List.copyOf(memoryMap);
    check(cpus >= 1, "cpus: %d is less than 1", cpus);
    check(tscFrequencyHz >= 1, "tscFrequencyHz: %d is less than 1", tscFrequencyHz);
    check(consoleLimitBytes >= 0, "consoleLimitBytes: %d is negative", consoleLimitBytes);
    Set<String> paths = new HashSet<>();
    for (Device device : devices) {
      check(paths.add(device.path()), "two devices have the path '%s'", device.path());
    }
    checkRegions(regions, memoryBytes);
    for (Range range : memoryMap) {
      Region region =
          regions.stream().filter(r -> r.name().equals(range.region())).findFirst().orElse(null);
      check(
          region != null
              && range.regionOffset() <= region.bytes()
              && range.length() <= region.bytes() - range.regionOffset(),
          "memory map: the range at 0x%x is not within region '%s'",
          range.guestPhysicalAddress(),
          range.region());
    }
  }

  private static void checkRegions(List<Region> regions, long memoryBytes) {
    check(
        regions.size() <= SnapshotFormat.MAX_REGIONS,
        "%d memory regions are more than %d",
        regions.size(),
        SnapshotFormat.MAX_REGIONS);
    Set<String> names = new HashSet<>();
    for (Region region : regions) {
      check(names.add(region.name()), "two memory regions have the name '%s'", region.name());
      check(
          !region.name().equals(RAM) || region.bytes() == memoryBytes,
          "the region '%s' has %d bytes, but the machine %d",
          RAM,
          region.bytes(),
          memoryBytes);
    }
    check(names.contains(RAM), "there is no memory region '%s'", RAM);
  }

  private static void check(boolean holds, String message, Object... arguments) {
    if (!holds) {
      throw new IllegalArgumentException(message.formatted(arguments));
    }
  }

  /** The name of the region of a device memory: {@code device:<path>/<name>}. */
  public static String deviceRegion(String path, String memoryName) {
    return "device:" + path + "/" + memoryName;
  }

  /** What the name of a device memory ends with that is sparse: no guest sees it. */
  public static final String SPARSE = ".sparse";

  /**
   * Whether a region is device memory that no guest sees, and that is likely to be mostly zeros.
   */
  public static boolean isSparse(String region) {
    return region.endsWith(SPARSE);
  }

  /**
   * The memory of all regions together.
   *
   * @return bytes, {@link Long#MAX_VALUE} if it is more than a long holds
   */
  public long totalMemoryBytes() {
    long sum = 0;
    for (Region region : regions) {
      sum += region.bytes();
      if (sum < 0) {
        return Long.MAX_VALUE;
      }
    }
    return sum;
  }

  /**
   * One device.
   *
   * @param path its place in the machine, such as {@code com1}
   * @param type the type of its factory
   * @param configVersion the version of the configuration's schema
   * @param config every field of its configuration
   */
  public record Device(String path, String type, int configVersion, FieldMap config) {
    /** Refuses a version below 1. */
    public Device {
      check(configVersion >= 1, "device '%s': config version %d", path, configVersion);
    }
  }

  /**
   * A named piece of memory, whose contents are in the memory chunks.
   *
   * @param name {@link #RAM} or {@link #deviceRegion}
   * @param bytes a multiple of 4096
   */
  public record Region(String name, long bytes) {
    /** Refuses a size that is not a multiple of a page. */
    public Region {
      check(
          bytes > 0 && bytes % SnapshotFormat.PAGE_BYTES == 0,
          "memory region '%s': %d bytes are not whole pages",
          name,
          bytes);
    }
  }

  /**
   * Where a piece of a region lies in the guest's physical address space.
   *
   * @param guestPhysicalAddress a multiple of 4096
   * @param length in bytes, a multiple of 4096
   * @param region the region's name
   * @param regionOffset where the piece begins in the region, a multiple of 4096
   */
  public record Range(long guestPhysicalAddress, long length, String region, long regionOffset) {
    /** Refuses what is not made of whole pages. */
    public Range {
      check(
          length > 0
              && regionOffset >= 0
              && ((guestPhysicalAddress | length | regionOffset) & (SnapshotFormat.PAGE_BYTES - 1))
                  == 0,
          "memory map: the range at 0x%x is not made of whole pages",
          guestPhysicalAddress);
    }
  }
}
