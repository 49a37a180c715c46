package io.vmm4j.api;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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
 * @param tscFrequencyHz the frequency of its time-stamp counters; absent means 1 GHz, or what all
 *     backends that can run here have in common
 * @param withoutCpuFeatures what its processors don't have of the portable model
 * @param withCpuFeatures what its processors have besides
 * @param cpuVendor whose processors they are
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
    MemorySize consoleLimit,
    Optional<Long> tscFrequencyHz,
    Set<CpuFeature> withoutCpuFeatures,
    Set<CpuFeature> withCpuFeatures,
    CpuVendor cpuVendor) {

  /** The most RAM a machine may have. */
  public static final MemorySize MAX_MEMORY = MemorySize.gibibytes(64);

  /** The most memory that all devices of a machine may have of their own together. */
  public static final MemorySize MAX_DEVICE_MEMORY = MemorySize.mebibytes(512);

  /**
   * The most sparse memory of all devices of a machine together, such as overlays of disks: it
   * takes room of the host where it is written.
   */
  public static final MemorySize MAX_SPARSE_MEMORY = MemorySize.gibibytes(128);

  /** The longest name of a machine. */
  public static final int MAX_NAME_CHARACTERS = 200;

  /** The most vCPUs a machine may have. */
  public static final int MAX_CPUS = 16;

  /** The lowest frequency of a time-stamp counter. */
  public static final long MIN_TSC_HZ = 1_000_000;

  /** The highest frequency of a time-stamp counter. */
  public static final long MAX_TSC_HZ = 0xFFFF_FFFFL;

  private static final Pattern PATH =
      Pattern.compile("[a-z0-9][a-z0-9:._-]*(/[a-z0-9][a-z0-9:._-]*)*");

  /** Keeps the devices' order and makes them unmodifiable. */
  public VmSpec {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(boot, "boot");
    Objects.requireNonNull(board, "board");
    Objects.requireNonNull(devices, "devices");
    Objects.requireNonNull(clock, "clock");
    Objects.requireNonNull(startTime, "startTime");
    Objects.requireNonNull(randomSeed, "randomSeed");
    Objects.requireNonNull(consoleLimit, "consoleLimit");
    Objects.requireNonNull(tscFrequencyHz, "tscFrequencyHz");
    Objects.requireNonNull(withoutCpuFeatures, "withoutCpuFeatures");
    Objects.requireNonNull(withCpuFeatures, "withCpuFeatures");
    Objects.requireNonNull(cpuVendor, "cpuVendor");
    devices = Collections.unmodifiableMap(new LinkedHashMap<>(devices));
    withoutCpuFeatures = Collections.unmodifiableSet(new LinkedHashSet<>(withoutCpuFeatures));
    withCpuFeatures = Collections.unmodifiableSet(new LinkedHashSet<>(withCpuFeatures));
  }

  /** Says what is wrong with a name of a machine, if anything is. */
  public static Optional<String> nameFault(String name) {
    if (name.isBlank()) {
      return Optional.of("a name has at least one character that is not blank");
    }
    if (name.length() > MAX_NAME_CHARACTERS) {
      return Optional.of(
          "%d characters are more than %d".formatted(name.length(), MAX_NAME_CHARACTERS));
    }
    return PrintableText.line(name).equals(name)
        ? Optional.empty()
        : Optional.of("a name is one line of visible characters, not " + PrintableText.line(name));
  }

  /** Says what is wrong with a path of a device, if anything is. */
  public static Optional<String> pathFault(String path) {
    return PATH.matcher(path).matches()
        ? Optional.empty()
        : Optional.of("a path has lower-case letters, digits and ':._-' in parts separated by '/'");
  }

  /** A machine's name with a number behind, cut where it would be too long. */
  static String numbered(String name, int number) {
    String suffix = "-" + number;
    int room = MAX_NAME_CHARACTERS - suffix.length();
    if (name.length() <= room) {
      return name + suffix;
    }
    int end = Character.isHighSurrogate(name.charAt(room - 1)) ? room - 1 : room;
    return name.substring(0, end) + suffix;
  }

  /**
   * Begins a specification.
   *
   * @param name one line of at most {@link #MAX_NAME_CHARACTERS} visible characters, not blank
   */
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
    builder.tscFrequencyHz = tscFrequencyHz;
    builder.withoutCpuFeatures.addAll(withoutCpuFeatures);
    builder.withCpuFeatures.addAll(withCpuFeatures);
    builder.cpuVendor = cpuVendor;
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
    private Optional<Long> tscFrequencyHz = Optional.empty();
    private final Set<CpuFeature> withoutCpuFeatures = EnumSet.noneOf(CpuFeature.class);
    private final Set<CpuFeature> withCpuFeatures = EnumSet.noneOf(CpuFeature.class);
    private CpuModel cpuModel = CpuModel.V2;
    private CpuVendor cpuVendor = CpuVendor.INTEL;

    private Builder(String name) {
      this.name = given("name", name, "");
      nameFault(this.name).ifPresent(why -> faults.add(fault("name", why)));
    }

    /** What was given, if anything was; else a fault, and something in its place. */
    private <T> T given(String path, @Nullable T value, T otherwise) {
      if (value == null) {
        faults.add(fault(path, "null is no value"));
        return otherwise;
      }
      return value;
    }

    private void add(String path, Set<CpuFeature> to, CpuFeature... features) {
      for (CpuFeature feature : given(path, features, new CpuFeature[0])) {
        if (feature == null) {
          faults.add(fault(path, "null is no value"));
        } else {
          to.add(feature);
        }
      }
    }

    /** Which backend is to run it; {@link Backends#auto} if not said. */
    public Builder backend(BackendChoice choice) {
      this.backend = given("backend", choice, this.backend);
      return this;
    }

    /** Its RAM, 64 KiB to {@link #MAX_MEMORY}, a multiple of 4 KiB; 256 MiB if not said. */
    public Builder memory(MemorySize size) {
      this.memory = given("memory", size, this.memory);
      return this;
    }

    /** How many vCPUs, 1 to {@link #MAX_CPUS}; 1 if not said. */
    public Builder cpus(int count) {
      this.cpus = count;
      return this;
    }

    /**
     * What it starts from. If not said, the firmware that a device brings; without such a device
     * the machine can't be started.
     */
    public Builder boot(BootSource source) {
      this.boot = given("boot", source, this.boot);
      return this;
    }

    /** The set of devices it has without being asked; {@code pc} if not said. */
    public Builder board(String boardName) {
      this.board = given("board", boardName, this.board);
      return this;
    }

    /**
     * Adds a device.
     *
     * @param path unique, such as {@code com1}: lower-case letters, digits and {@code :._-}, in
     *     parts separated by {@code /}
     */
    public Builder device(String path, DeviceConfig config) {
      if (path == null || config == null) {
        faults.add(fault("devices/" + path, "null is no value"));
      } else if (devices.putIfAbsent(path, config) != null) {
        faults.add(fault("devices/" + path, "there is another device of this path"));
      }
      return this;
    }

    /** How its time passes; {@link ClockMode#REAL} if not said. */
    public Builder clock(ClockMode mode) {
      this.clock = given("clock", mode, this.clock);
      return this;
    }

    /** The guest's wall-clock time at its first instruction; the host's if not said. */
    public Builder startTime(Instant time) {
      this.startTime = Optional.of(given("startTime", time, Instant.EPOCH));
      return this;
    }

    /** The seed of RDRAND and whatever else is drawn at random. */
    public Builder randomSeed(long seed) {
      this.randomSeed = Optional.of(seed);
      return this;
    }

    /** How much of each console's transcript is kept, at least 4 KiB; 16 MiB if not said. */
    public Builder consoleLimit(MemorySize size) {
      this.consoleLimit = given("consoleLimit", size, this.consoleLimit);
      return this;
    }

    /**
     * The frequency of its time-stamp counters, 1 MHz to 4.29 GHz. If not said, it is 1 GHz; but a
     * machine with real time has a frequency that all backends can give it that can run here, so
     * that it can move between them. Said, it lets a machine move to hosts of that frequency whose
     * counters can't be scaled.
     */
    public Builder tscFrequencyHz(long frequencyHz) {
      this.tscFrequencyHz = Optional.of(frequencyHz);
      return this;
    }

    /**
     * Features of the portable processor that it does not have, such as those that some host lacks
     * to which it is to move. A machine with real time lacks of itself what one of the backends
     * lacks that can run here.
     */
    public Builder withoutCpuFeatures(CpuFeature... features) {
      add("withoutCpuFeatures", withoutCpuFeatures, features);
      return this;
    }

    /**
     * Asks for features beyond the portable processor, such as {@link CpuFeature#BMI2}. The machine
     * has them whatever the clock is; a backend that can't give them is not chosen, and its
     * snapshots resume only where they can be had.
     */
    public Builder withCpuFeatures(CpuFeature... features) {
      add("withCpuFeatures", withCpuFeatures, features);
      return this;
    }

    /**
     * Sets the level of the processors; {@link CpuModel#V2} if not said. Asking for more is asking
     * for its features, as by {@link #withCpuFeatures}, but for those of {@link
     * #withoutCpuFeatures}.
     *
     * {@snippet :
     * VmSpec spec = VmSpec.builder("rhel").cpuModel(CpuModel.V3).boot(boot).build();
     * }
     */
    public Builder cpuModel(CpuModel model) {
      this.cpuModel = given("cpuModel", model, this.cpuModel);
      return this;
    }

    /** Sets whose processors the guest finds; {@link CpuVendor#INTEL} if not said. */
    public Builder cpuVendor(CpuVendor vendor) {
      this.cpuVendor = given("cpuVendor", vendor, this.cpuVendor);
      return this;
    }

    /** The faults of features without others that they need. */
    private List<InvalidSpecException.Fault> needed(Set<CpuFeature> with) {
      List<InvalidSpecException.Fault> found = new ArrayList<>();
      for (CpuFeature feature : with) {
        boolean present =
            switch (feature) {
              case AVX -> !withoutCpuFeatures.contains(CpuFeature.XSAVE);
              case AVX2, FMA, F16C -> with.contains(CpuFeature.AVX);
              default -> true;
            };
        if (!present) {
          CpuFeature other = feature == CpuFeature.AVX ? CpuFeature.XSAVE : CpuFeature.AVX;
          found.add(fault("withCpuFeatures", feature + " needs " + other));
        }
      }
      return found;
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
      tscFrequencyHz
          .filter(hz -> hz < MIN_TSC_HZ || hz > MAX_TSC_HZ)
          .ifPresent(hz ->
              found.add(
                  fault(
                      "tscFrequencyHz",
                      "%d is not one of %d to %d".formatted(hz, MIN_TSC_HZ, MAX_TSC_HZ))));
      if (consoleLimit.bytes() < 4096 || consoleLimit.bytes() > 1 << 30) {
        found.add(fault("consoleLimit", consoleLimit + " is not one of 4K to 1G"));
      }
      for (CpuFeature feature : withCpuFeatures) {
        if (withoutCpuFeatures.contains(feature)) {
          found.add(fault("withCpuFeatures", feature + " is among withoutCpuFeatures too"));
        }
      }
      Set<CpuFeature> with = EnumSet.noneOf(CpuFeature.class);
      with.addAll(cpuModel.features());
      with.removeAll(withoutCpuFeatures);
      with.addAll(withCpuFeatures);
      found.addAll(needed(with));
      for (String path : devices.keySet()) {
        pathFault(path).ifPresent(why -> found.add(fault("devices/" + path, why)));
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
              consoleLimit,
              tscFrequencyHz,
              withoutCpuFeatures,
              with,
              cpuVendor);
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
