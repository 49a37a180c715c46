package io.vmm4j.testkit;

import com.sun.management.ThreadMXBean;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.RecordedShapes;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What every device model must keep. A device's author runs it in a test, under any test framework:
 * a breach is an {@link AssertionError} that says what, with which seed.
 *
 * <p>The machine is a whole one of the engine, whose guest is the kit ({@link TestMachine}). It
 * does at random what guests and hosts may do, and looks again and again whether the device could
 * be saved, restored and reset just there. Random accesses don't find what takes a protocol to
 * reach: say what leads there, and what must be reached by it.
 *
 * {@snippet :
 * @TestFactory
 * Stream<DynamicTest> keepsTheContract() {
 *   return DeviceModelContract.of(new ThermometerFactory(), new ThermometerConfig(21))
 *       .doing("a threshold that is reached", machine -> machine.out8(0x511, 20))
 *       .mustReach(ThermometerState::alarm)
 *       .recordedShapes(RecordedShapes.read(ThermometerTest.class, "state-shapes.txt"))
 *       .checks().entrySet().stream()
 *       .map(check -> DynamicTest.dynamicTest(check.getKey(), check.getValue()::run));
 * }
 * }
 *
 * @param <C> the configuration
 * @param <S> the state
 */
public final class DeviceModelContract<C extends Record & DeviceConfig, S extends Record> {
  private static final int RUNS = 6;
  private static final int STEPS = 240;
  private static final int STEPS_BETWEEN_LOOKS = 12;

  /** How many accesses are tried for what a guest may do to a device. */
  private static final int HOSTILE_STEPS = 4000;

  private final Observing<C, S> factory;
  private final C config;
  private final Map<String, Runnable> checks = new LinkedHashMap<>();
  private final List<Doing> doings = new ArrayList<>();
  private final Map<String, String> outliving = new LinkedHashMap<>();
  private final Map<String, String> fromHost = new LinkedHashMap<>();
  private final Map<String, String> unchanged = new TreeMap<>();
  private Consumer<TestMachine> preparation = machine -> {};
  private TestMachine.Builder surroundings = TestMachine.builder();
  private String path = TestMachine.PATH;
  private MemorySize allocationLimit = MemorySize.mebibytes(2);

  private DeviceModelContract(DeviceFactory<C, S> factory, C config) {
    this.factory = new Observing<>(factory);
    this.config = config;
    checks.put("every field of the configuration has a default", this::configurationHasDefaults);
    checks.put("the configuration comes back from its fields", this::configurationComesBack);
    checks.put("saving changes nothing", this::savingChangesNothing);
    checks.put("a restored device is as the saved one", this::restoredIsSaved);
    checks.put("a restored device goes on as if never stopped", this::restoredGoesOn);
    checks.put("reset leads back to the state after power-on", this::resetLeadsBack);
    checks.put("no access of a guest makes it throw, or takes without bound", this::hostileAccess);
    checks.put("time and random numbers are the machine's", this::hostTime);
    checks.put("every field of the state was changed", this::fieldsChange);
    checks.put("closing twice is allowed", this::closingTwice);
  }

  /** The contract for one type of device in one configuration. */
  public static <C extends Record & DeviceConfig, S extends Record> DeviceModelContract<C, S> of(
      DeviceFactory<C, S> factory, C config) {
    return new DeviceModelContract<>(factory, config);
  }

  /** What is done to the machine after power-on, before anything else. */
  public DeviceModelContract<C, S> given(Consumer<TestMachine> machine) {
    preparation = machine;
    return this;
  }

  /**
   * Puts the device into a machine with others, such as the bus that it is on.
   *
   * @param devicePath where the device is
   */
  public DeviceModelContract<C, S> in(TestMachine.Builder others, String devicePath) {
    surroundings = others;
    path = devicePath;
    return this;
  }

  /** How much heap one access may take; 2 MiB otherwise. */
  public DeviceModelContract<C, S> allocationLimit(MemorySize limit) {
    allocationLimit = limit;
    return this;
  }

  /** Says why no check changes a field of the state; of a nested record by {@code outer.inner}. */
  public DeviceModelContract<C, S> unchanged(String field, String reason) {
    unchanged.put(field, reason);
    return this;
  }

  /** Says why a reset, as a power cycle, leaves a field of the state as it is. */
  public DeviceModelContract<C, S> outlivesReset(String field, String reason) {
    outliving.put(field, reason);
    return this;
  }

  /** Says why the device takes from the host, by a class of the JDK, what is not the machine's. */
  public DeviceModelContract<C, S> takesFromHost(Class<?> type, String reason) {
    fromHost.put(type.getName(), reason);
    return this;
  }

  /**
   * Says what leads to a state that random accesses don't find. All checks begin there too.
   *
   * @param what names it in messages
   * @param action what the guest and the host do after power-on
   */
  public Doing doing(String what, Consumer<TestMachine> action) {
    return new Doing(what, action);
  }

  /** Something done to a device, and what must come of it. */
  public final class Doing {
    private final String what;
    private final Consumer<TestMachine> action;
    private Predicate<S> reached = state -> true;

    private Doing(String what, Consumer<TestMachine> action) {
      this.what = what;
      this.action = action;
    }

    /**
     * Says what the state must be then.
     *
     * @return the contract
     */
    public DeviceModelContract<C, S> mustReach(Predicate<S> state) {
      reached = state;
      doings.add(this);
      return DeviceModelContract.this;
    }
  }

  /**
   * Holds the version and shape of state and configuration to those recorded under the device's
   * type, and its type with {@code /config}: whoever changes a record must think of the files that
   * are written already.
   */
  public DeviceModelContract<C, S> recordedShapes(RecordedShapes recorded) {
    checks.put(
        "the state's shape belongs to its version",
        () -> recorded.check(factory.type(), factory.stateSchema()));
    checks.put(
        "the configuration's shape belongs to its version",
        () -> recorded.check(factory.type() + "/config", factory.configSchema()));
    return this;
  }

  /** The checks by name, to be run in any order. */
  public Map<String, Runnable> checks() {
    return new LinkedHashMap<>(checks);
  }

  /** Runs all of them. */
  public void check() {
    checks.values().forEach(Runnable::run);
  }

  @Override
  public String toString() {
    return config.toString();
  }

  private TestMachine start() {
    TestMachine machine = surroundings.device(path, factory, config).build();
    preparation.accept(machine);
    return machine;
  }

  // ---- journeys ----

  /** Where a device is looked at. */
  private record Place(String beginning, int seed, int step) {
    String of(String what, String type) {
      return "%s (%s, %s, seed %d, step %d)".formatted(what, type, beginning, seed, step);
    }
  }

  @FunctionalInterface
  private interface Look {
    void at(TestMachine machine, Place place);
  }

  /** Takes devices through what is done to them, and then at random, and looks now and then. */
  private void travel(Look look) {
    for (Doing doing : doings) {
      try (TestMachine machine = start()) {
        begin(machine, doing);
        look.at(machine, new Place("after " + doing.what, 0, 0));
        journey(machine, "after " + doing.what, 0, look);
      }
    }
    for (int seed = 0; seed < RUNS; seed++) {
      try (TestMachine machine = start()) {
        journey(machine, "after power-on", seed, look);
      }
    }
  }

  private void begin(TestMachine machine, Doing doing) {
    doing.action.accept(machine);
    RecordSchema<S> schema = factory.stateSchema();
    S state = schema.fromFields(schema.version(), machine.state());
    isTrue(
        doing.reached.test(state),
        "'%s' does not lead to what it must reach; the state is %s".formatted(doing.what, state));
  }

  private static void journey(TestMachine machine, String beginning, int seed, Look look) {
    Workload load = new Workload(seed);
    for (int step = 1; step <= STEPS; step++) {
      load.step(machine);
      if (step % STEPS_BETWEEN_LOOKS == 0) {
        look.at(machine, new Place(beginning, seed, step));
      }
    }
  }

  // ---- checks ----

  private void configurationHasDefaults() {
    RecordSchema<C> schema = factory.configSchema();
    for (String field : schema.components().keySet()) {
      isTrue(schema.defaults().has(field), "'%s' has no default".formatted(field));
    }
    C defaults = schema.fromFields(schema.version(), FieldMap.of(Map.of()));
    isEqual("the type of the configuration", factory.type(), defaults.deviceType());
  }

  private void configurationComesBack() {
    RecordSchema<C> schema = factory.configSchema();
    FieldMap fields = schema.toFields(config);
    isEqual(
        "the configuration", fields, schema.toFields(schema.fromFields(schema.version(), fields)));
  }

  private void savingChangesNothing() {
    for (int seed = 0; seed < RUNS; seed++) {
      try (TestMachine machine = start();
          TestMachine other = start()) {
        machine.clearEvents();
        other.clearEvents();
        Workload load = new Workload(seed);
        Workload same = new Workload(seed);
        for (int step = 0; step < STEPS; step++) {
          Place place = new Place("after power-on", seed, step);
          same(place, "answer", load.step(machine), same.step(other));
          FieldMap once = machine.state();
          same(place, "state", once, machine.state());
        }
        isEqual("events", machine.events(), other.events());
        isEqual("state", machine.state(), other.state());
      }
    }
  }

  private void restoredIsSaved() {
    try (Twin twin = new Twin()) {
      travel((machine, place) -> {
        TestMachine restored = twin.of(machine);
        same(place, "state", machine.state(), restored.state());
        sameOutside(place, machine, restored);
      });
    }
    // A machine of its own, too: what an earlier state has left is not there.
    travelOnce((machine, place) -> {
      try (TestMachine restored = machine.twin()) {
        same(place, "state", machine.state(), restored.state());
        sameOutside(place, machine, restored);
      }
    });
  }

  /** The places that things done lead to, and a few at random. */
  private void travelOnce(Look look) {
    int[] looks = {0};
    travel((machine, place) -> {
      if (place.step == 0 || looks[0]++ % 16 == 0) {
        look.at(machine, place);
      }
    });
  }

  private void restoredGoesOn() {
    try (Twin twin = new Twin()) {
      int[] looks = {0};
      travel((machine, place) -> {
        if (place.step != 0 && looks[0]++ % 4 != 0) {
          return;
        }
        TestMachine restored = twin.of(machine);
        machine.clearEvents();
        Workload load = new Workload(~place.seed);
        Workload same = new Workload(~place.seed);
        for (int step = 0; step < STEPS_BETWEEN_LOOKS * 4; step++) {
          same(place, "answer " + step, load.step(machine), same.step(restored));
        }
        same(place, "events", machine.events(), restored.events());
        same(place, "state", machine.state(), restored.state());
        sameOutside(place, machine, restored);
      });
    }
  }

  private void resetLeadsBack() {
    try (Twin twin = new Twin();
        TestMachine fresh = start()) {
      travel((machine, place) -> {
        TestMachine used = twin.of(machine);
        for (int line = 0; line < TestMachine.LINES; line++) {
          used.setLine(line, false);
        }
        if (used.hasConsole()) {
          used.dropInput(); // what the host has sent is not the device's
        }
        fresh.setTime(used.nanoTime());
        FieldMap before = used.state();
        fresh.reset();
        used.reset();
        FieldMap expected = fresh.state();
        for (String field : outliving.keySet()) {
          expected = expected.with(field, before.get(field));
        }
        same(place, "state after reset", expected, used.state());
        sameOutside(place, fresh, used);
      });
    }
  }

  /** A machine that is taken to the state of others. */
  private static final class Twin implements AutoCloseable {
    private final List<TestMachine> made = new ArrayList<>();

    TestMachine of(TestMachine machine) {
      if (made.isEmpty()) {
        made.add(machine.twin());
      } else {
        made.getFirst().become(machine);
      }
      return made.getFirst();
    }

    @Override
    public void close() {
      made.forEach(TestMachine::close);
    }
  }

  private void sameOutside(Place place, TestMachine one, TestMachine other) {
    same(place, "claims", one.claims(), other.claims());
    same(place, "mappings", one.mappings(), other.mappings());
    for (int line = 0; line < TestMachine.LINES; line++) {
      same(place, "interrupt line " + line, one.line(line), other.line(line));
    }
    same(place, "INTR", one.externalInterrupt(), other.externalInterrupt());
    same(place, "timers", one.timers(), other.timers());
  }

  private void hostileAccess() {
    try (TestMachine machine = start()) {
      for (TestMachine.Claim claim : machine.claims()) {
        for (long value : new long[] {0, -1, 0x5555_5555_5555_5555L, 1, 0x80, 0x7FFF_FFFF}) {
          sweep(machine, claim, value);
        }
      }
      for (int seed = 0; seed < RUNS; seed++) {
        Workload load = new Workload(seed);
        for (int step = 0; step < HOSTILE_STEPS / RUNS; step++) {
          bounded(() -> load.step(machine));
        }
      }
      machine.reset();
      ringAll(machine);
      try (TestMachine restored = machine.twin()) {
        ringAll(restored);
      }
    }
  }

  private void sweep(TestMachine machine, TestMachine.Claim claim, long value) {
    if (claim.base() < 0) {
      return;
    }
    long end = claim.base() + Math.min(claim.length(), 256);
    for (long at = claim.base(); at < end; at++) {
      for (int size = 1; size <= (claim.ports() ? 4 : 8); size *= 2) {
        long address = at;
        int bytes = size;
        if (!claim.ports()) {
          bounded(() -> machine.writeMmio(address, bytes, value));
          bounded(() -> machine.readMmio(address, bytes));
        } else if (at + size <= 0x10000) {
          bounded(() -> machine.out((int) address, bytes, (int) value));
          bounded(() -> machine.in((int) address, bytes));
        }
      }
    }
  }

  /** A guest's length is a guest's word: what it makes the host take has a bound. */
  private void bounded(Runnable access) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try {
      access.run();
    } catch (OutOfMemoryError e) {
      throw new AssertionError("one access takes all of the heap", e);
    }
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    isTrue(
        taken <= allocationLimit.bytes(),
        "one access takes %s of heap, more than %s: a length without a bound?"
            .formatted(MemorySize.bytes(taken), allocationLimit));
  }

  private static void ringAll(TestMachine machine) {
    List<TestMachine.Claim> claims = machine.claims();
    for (int claim = 0; claim < claims.size(); claim++) {
      for (int bell = 0; bell < claims.get(claim).doorbells().size(); bell++) {
        machine.ring(claim, bell);
        machine.ring(claim, bell);
      }
    }
  }

  private void hostTime() {
    start().close();
    HostTime.useBy(factory.made(), fromHost.keySet())
        .ifPresent(use -> {
          throw new AssertionError(use + ": a run with it does not repeat");
        });
  }

  private void fieldsChange() {
    Map<String, String> first;
    try (TestMachine machine = start()) {
      first = StateFields.of(machine.state());
    }
    Set<String> never = new TreeSet<>(first.keySet());
    travel((machine, place) -> {
      Map<String, String> now = StateFields.of(machine.state());
      never.removeIf(field -> !first.get(field).equals(now.get(field)));
      // What only a longer list has was not there before.
    });
    for (String field : unchanged.keySet()) {
      isTrue(first.containsKey(field), "unchanged: the state has no field '%s'".formatted(field));
      isTrue(
          never.contains(field),
          "unchanged: the field '%s' is changed by some check".formatted(field));
    }
    never.removeAll(unchanged.keySet());
    isTrue(
        never.isEmpty(),
        "no check has changed these fields of the state, so none can tell whether they are restored"
            + " and reset: %s; say what leads there by doing(…)".formatted(never));
  }

  private void closingTwice() {
    try (TestMachine machine = start()) {
      machine.closeDevice();
      machine.closeDevice();
    }
  }

  private void same(Place place, String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      isEqual(place.of(what, factory.type()), expected, found);
    }
  }

  private static void isTrue(boolean condition, String message) {
    if (!condition) {
      throw new AssertionError(message);
    }
  }

  private static void isEqual(String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("%s:%n expected %s%n but was  %s".formatted(what, expected, found));
    }
  }
}
