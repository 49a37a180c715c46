package io.vmm4j.api;

import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a machine is made of: an immutable value.
 *
 * @param name for messages and thread names
 * @param backend which backend is to run it
 * @param memory its RAM, a multiple of 4 KiB
 * @param cpus how many vCPUs
 * @param boot what it starts from
 * @param board the set of devices it has without being asked, {@code pc} or {@code none}
 * @param devices further devices by path, in the order of attachment
 * @param clock how its time passes
 * @param startTime the guest's wall-clock time at its first instruction; absent means now
 * @param randomSeed the seed of what it draws at random; absent means unpredictable
 * @param consoleLimit how much of each console's transcript is kept
 */
public record VmSpec(
    String name,
    BackendChoice backend,
    MemorySize memory,
    int cpus,
    BootSource boot,
    String board,
    Map<String, DeviceConfig> devices,
    ClockMode clock,
    Optional<Instant> startTime,
    Optional<Long> randomSeed,
    MemorySize consoleLimit) {

  /** The most RAM a machine may have. */
  public static final MemorySize MAX_MEMORY = MemorySize.gibibytes(64);

  /** The most vCPUs a machine may have. */
  public static final int MAX_CPUS = 16;

  private static final Pattern PATH =
      Pattern.compile("[a-z0-9][a-z0-9:._-]*(/[a-z0-9][a-z0-9:._-]*)*");

  /** Keeps the devices' order and makes them unmodifiable. */
  public VmSpec {
    devices = Collections.unmodifiableMap(new LinkedHashMap<>(devices));
  }

  /** Begins a specification. */
  public static Builder builder(String name) {
    return new Builder(name);
  }

  /** A builder that begins with this specification. */
  public Builder toBuilder() {
    Builder builder = new Builder(name);
    builder.backend = backend;
    builder.memory = memory;
    builder.cpus = cpus;
    builder.boot = boot;
    builder.board = board;
    builder.devices.putAll(devices);
    builder.clock = clock;
    builder.startTime = startTime;
    builder.randomSeed = randomSeed;
    builder.consoleLimit = consoleLimit;
    return builder;
  }

  /** Collects a specification; {@link #build} checks it. Not safe for several threads. */
  public static final class Builder {
    private final String name;
    private final Map<String, DeviceConfig> devices = new LinkedHashMap<>();
    private final List<InvalidSpecException.Fault> faults = new ArrayList<>();
    private BackendChoice backend = Backends.auto();
    private MemorySize memory = MemorySize.mebibytes(256);
    private int cpus = 1;
    private BootSource boot = new BootSource.ResetVector();
    private String board = "pc";
    private ClockMode clock = ClockMode.REAL;
    private Optional<Instant> startTime = Optional.empty();
    private Optional<Long> randomSeed = Optional.empty();
    private MemorySize consoleLimit = MemorySize.mebibytes(16);

    private Builder(String name) {
      this.name = name;
    }

    /** Which backend is to run it; {@link Backends#auto} if not said. */
    public Builder backend(BackendChoice choice) {
      this.backend = choice;
      return this;
    }

    /** Its RAM, 64 KiB to {@link #MAX_MEMORY}, a multiple of 4 KiB; 256 MiB if not said. */
    public Builder memory(MemorySize size) {
      this.memory = size;
      return this;
    }

    /** How many vCPUs, 1 to {@link #MAX_CPUS}; 1 if not said. */
    public Builder cpus(int count) {
      this.cpus = count;
      return this;
    }

    /** What it starts from; the reset vector if not said. */
    public Builder boot(BootSource source) {
      this.boot = source;
      return this;
    }

    /** The set of devices it has without being asked; {@code pc} if not said. */
    public Builder board(String boardName) {
      this.board = boardName;
      return this;
    }

    /**
     * Adds a device.
     *
     * @param path unique, such as {@code com1}: lower-case letters, digits and {@code :._-}, in
     *     parts separated by {@code /}
     */
    public Builder device(String path, DeviceConfig config) {
      if (devices.putIfAbsent(path, config) != null) {
        faults.add(fault("devices/" + path, "there is another device of this path"));
      }
      return this;
    }

    /** How its time passes; {@link ClockMode#REAL} if not said. */
    public Builder clock(ClockMode mode) {
      this.clock = mode;
      return this;
    }

    /** The guest's wall-clock time at its first instruction; the host's if not said. */
    public Builder startTime(Instant time) {
      this.startTime = Optional.of(time);
      return this;
    }

    /** The seed of RDRAND and whatever else is drawn at random. */
    public Builder randomSeed(long seed) {
      this.randomSeed = Optional.of(seed);
      return this;
    }

    /** How much of each console's transcript is kept, at least 4 KiB; 16 MiB if not said. */
    public Builder consoleLimit(MemorySize size) {
      this.consoleLimit = size;
      return this;
    }

    /**
     * The specification.
     *
     * @throws InvalidSpecException with all faults at once
     */
    public VmSpec build() {
      List<InvalidSpecException.Fault> found = new ArrayList<>(faults);
      if (memory.bytes() < 64 << 10
          || memory.compareTo(MAX_MEMORY) > 0
          || (memory.bytes() & 4095) != 0) {
        found.add(fault("memory", memory + " is not a multiple of 4K from 64K to " + MAX_MEMORY));
      }
      if (cpus < 1 || cpus > MAX_CPUS) {
        found.add(fault("cpus", cpus + " is not one of 1 to " + MAX_CPUS));
      }
      if (consoleLimit.bytes() < 4096 || consoleLimit.bytes() > 1 << 30) {
        found.add(fault("consoleLimit", consoleLimit + " is not one of 4K to 1G"));
      }
      for (String path : devices.keySet()) {
        if (!PATH.matcher(path).matches()) {
          found.add(
              fault(
                  "devices/" + path,
                  "a path has lower-case letters, digits and ':._-' in parts separated by '/'"));
        }
      }
      VmSpec spec =
          new VmSpec(
              name,
              backend,
              memory,
              cpus,
              boot,
              board,
              devices,
              clock,
              startTime,
              randomSeed,
              consoleLimit);
      found.addAll(VmEngine.get().check(spec));
      if (!found.isEmpty()) {
        throw new InvalidSpecException(found);
      }
      return spec;
    }

    private static InvalidSpecException.Fault fault(String path, String message) {
      return new InvalidSpecException.Fault(path, message);
    }
  }
}
