package io.vmm4j.devices.contract;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.RecordedShapes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * What every device model must keep: with its doorbells too, which are made in {@link
 * DeviceFactory#create} and may ring at any time, after a reset or a restore too, again without a
 * cause, and when their claim has left the bus. A device's author runs it in a test, under any test
 * framework: a breach is an {@link AssertionError} that says what, with which seed.
 *
 * {@snippet :
 * @TestFactory
 * Stream<DynamicTest> keepsTheContract() {
 *   return DeviceModelContract.of(new ThermometerFactory(), new ThermometerConfig(21))
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
  private static final int RUNS = 20;
  private static final int STEPS = 400;

  private final DeviceFactory<C, S> factory;
  private final C config;
  private final Map<String, Runnable> checks = new LinkedHashMap<>();
  private Consumer<FakeDeviceContext> preparation = machine -> {};

  private DeviceModelContract(DeviceFactory<C, S> factory, C config) {
    this.factory = factory;
    this.config = config;
    checks.put("every field of the configuration has a default", this::configurationHasDefaults);
    checks.put("the configuration comes back from its fields", this::configurationComesBack);
    checks.put("saving changes nothing", this::savingChangesNothing);
    checks.put("a restored device saves what it was restored from", this::restoredIsSaved);
    checks.put("a restored device goes on as if never stopped", this::restoredGoesOn);
    checks.put("reset leads back to the state after power-on", this::resetLeadsBack);
    checks.put("no access of a guest makes it throw", this::hostileAccess);
    checks.put("closing twice is allowed", this::closingTwice);
  }

  /** The contract for one type of device in one configuration. */
  public static <C extends Record & DeviceConfig, S extends Record> DeviceModelContract<C, S> of(
      DeviceFactory<C, S> factory, C config) {
    return new DeviceModelContract<>(factory, config);
  }

  /** What the device finds before it is attached, such as RAM. */
  public DeviceModelContract<C, S> given(Consumer<FakeDeviceContext> machine) {
    preparation = machine;
    return this;
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

  private record Machine<S extends Record>(FakeDeviceContext context, DeviceModel<S> device) {}

  private Machine<S> start() {
    FakeDeviceContext context = new FakeDeviceContext("device");
    preparation.accept(context);
    return attach(context);
  }

  private Machine<S> attach(FakeDeviceContext context) {
    DeviceModel<S> device = factory.create(config, context);
    device.reset();
    return new Machine<>(context, device);
  }

  private Machine<S> restored(Machine<S> from) {
    FakeDeviceContext context = from.context.twin();
    Machine<S> twin = attach(context);
    context.fakeClock().setWithoutFiring(from.context.fakeClock().nanoTime());
    RecordSchema<S> schema = factory.stateSchema();
    FieldMap fields = schema.toFields(from.device.save());
    twin.device.restore(schema.fromFields(schema.version(), fields));
    context.clearEvents();
    from.context.clearEvents();
    return twin;
  }

  private FieldMap fields(Machine<S> machine) {
    return factory.stateSchema().toFields(machine.device.save());
  }

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
      Machine<S> machine = start();
      Machine<S> other = start();
      Workload load = new Workload(seed);
      Workload same = new Workload(seed);
      for (int step = 0; step < STEPS; step++) {
        isEqual(at(seed, step, "answer"), load.step(machine.context), same.step(other.context));
        FieldMap once = fields(machine);
        isEqual(at(seed, step, "state"), once, fields(machine));
      }
      isEqual("events", machine.context.events(), other.context.events());
      isEqual("state", fields(machine), fields(other));
    }
  }

  private void restoredIsSaved() {
    for (int seed = 0; seed < RUNS; seed++) {
      Machine<S> machine = start();
      new Workload(seed).run(machine.context, STEPS);
      Machine<S> twin = restored(machine);
      isEqual(at(seed, STEPS, "state"), fields(machine), fields(twin));
      sameOutside(seed, machine, twin);
    }
  }

  private void restoredGoesOn() {
    for (int seed = 0; seed < RUNS; seed++) {
      Machine<S> machine = start();
      new Workload(seed).run(machine.context, STEPS);
      Machine<S> twin = restored(machine);
      Workload load = new Workload(~seed);
      Workload same = new Workload(~seed);
      for (int step = 0; step < STEPS; step++) {
        isEqual(at(seed, step, "answer"), load.step(machine.context), same.step(twin.context));
      }
      isEqual(at(seed, STEPS, "events"), machine.context.events(), twin.context.events());
      isEqual(at(seed, STEPS, "state"), fields(machine), fields(twin));
      sameOutside(seed, machine, twin);
    }
  }

  private void sameOutside(int seed, Machine<S> one, Machine<S> other) {
    isEqual(at(seed, STEPS, "claims"), one.context.claimed(), other.context.claimed());
    isEqual(at(seed, STEPS, "doorbells"), one.context.doorbells(), other.context.doorbells());
    isEqual(
        at(seed, STEPS, "mappings"),
        one.context.fakeMemory().mappings(),
        other.context.fakeMemory().mappings());
    for (int line = 0; line < FakeDeviceContext.LINES; line++) {
      isEqual(
          at(seed, STEPS, "interrupt line " + line),
          one.context.line(line),
          other.context.line(line));
    }
    isEqual(
        at(seed, STEPS, "INTR"),
        one.context.externalInterrupt(),
        other.context.externalInterrupt());
  }

  private void resetLeadsBack() {
    for (int seed = 0; seed < RUNS; seed++) {
      Machine<S> used = start();
      new Workload(seed).run(used.context, STEPS);
      for (int line = 0; line < FakeDeviceContext.LINES; line++) {
        used.context.setLine(line, false);
      }
      while (used.context.fakeConsole().receive() >= 0) {
        // What the host has sent is not the device's.
      }
      FakeDeviceContext context = new FakeDeviceContext("device");
      preparation.accept(context);
      context.fakeClock().setWithoutFiring(used.context.fakeClock().nanoTime());
      Machine<S> fresh = attach(context);
      used.device.reset();
      isEqual(at(seed, STEPS, "state after reset"), fields(fresh), fields(used));
      sameOutside(seed, fresh, used);
      isEqual(
          at(seed, STEPS, "next timer after reset"),
          fresh.context.fakeClock().nextDeadline(),
          used.context.fakeClock().nextDeadline());
    }
  }

  private void hostileAccess() {
    Machine<S> machine = start();
    for (FakeDeviceContext.Claimed claim : machine.context.claimed()) {
      for (long value : new long[] {0, -1, 0x5555_5555_5555_5555L, 1, 0x80}) {
        for (long at = claim.base(); at < claim.base() + Math.min(claim.length(), 256); at++) {
          for (int size = 1; size <= (claim.ports() ? 4 : 8); size *= 2) {
            access(machine.context, claim.ports(), at, size, value);
          }
        }
      }
    }
    for (int seed = 0; seed < RUNS; seed++) {
      new Workload(seed).run(machine.context, 5 * STEPS);
    }
    machine.device.reset();
    ringAll(machine.context);
    ringAll(restored(machine).context);
  }

  private static void ringAll(FakeDeviceContext machine) {
    for (int bell = 0; bell < machine.doorbells().size(); bell++) {
      machine.ring(bell);
      machine.ring(bell);
    }
  }

  private static void access(
      FakeDeviceContext machine, boolean port, long at, int size, long value) {
    if (port) {
      if (at + size <= 0x10000) {
        machine.out((int) at, size, (int) value);
        machine.in((int) at, size);
      }
    } else {
      machine.writeMmio(at, size, value);
      machine.readMmio(at, size);
    }
  }

  private void closingTwice() {
    Machine<S> machine = start();
    try {
      machine.device.close();
      machine.device.close();
    } catch (Exception e) {
      throw new AssertionError("closing failed", e);
    }
  }

  /** What guests and hosts may do to a device, in an order that follows from a seed. */
  private static final class Workload {
    private static final int[] TELLING = {0, 1, 2, 4, 8, 0x10, 0x20, 0x34, 0x80, 0xC0, 0xFE, 0xFF};

    private final Random random;

    Workload(long seed) {
      random = new Random(seed);
    }

    void run(FakeDeviceContext machine, int steps) {
      for (int step = 0; step < steps; step++) {
        step(machine);
      }
    }

    /** One step, and the answer to it as text. */
    String step(FakeDeviceContext machine) {
      int kind = random.nextInt(20);
      return switch (kind) {
        case 0 -> {
          machine.advance(Duration.ofNanos(random.nextLong(1L << random.nextInt(10, 31))));
          yield "time " + machine.fakeClock().nanoTime();
        }
        case 1 -> {
          String text = "text".repeat(random.nextInt(1, 8));
          machine.fakeConsole().send(text);
          yield "input";
        }
        case 2 -> {
          int line = random.nextInt(FakeDeviceContext.LINES);
          boolean asserted = random.nextBoolean();
          machine.setLine(line, asserted);
          yield "line";
        }
        case 3 -> machine.drivesExternalInterrupt() ? "vector " + machine.acknowledge() : "";
        case 5 -> machine.doorbells().isEmpty() ? busAccess(machine) : ring(machine);
        case 4 -> {
          machine.endInterrupt(random.nextInt(256));
          yield "end of interrupt";
        }
        default -> busAccess(machine);
      };
    }

    private String ring(FakeDeviceContext machine) {
      machine.ring(random.nextInt(machine.doorbells().size()));
      return "rung";
    }

    private String busAccess(FakeDeviceContext machine) {
      List<FakeDeviceContext.Claimed> claims = new ArrayList<>(machine.claimed());
      if (claims.isEmpty()) {
        return "";
      }
      FakeDeviceContext.Claimed claim = claims.get(random.nextInt(claims.size()));
      int size = 1 << random.nextInt(claim.ports() ? 3 : 4);
      // Registers lie at the beginning of a window more often than not.
      long span = random.nextBoolean() ? Math.min(claim.length(), 0x48) : claim.length();
      long at = claim.base() + random.nextLong(span);
      if (claim.ports() && at + size > 0x10000) {
        return "";
      }
      boolean write = random.nextBoolean();
      long value =
          random.nextBoolean() ? TELLING[random.nextInt(TELLING.length)] : random.nextLong();
      if (claim.ports()) {
        if (write) {
          machine.out((int) at, size, (int) value);
          return "written";
        }
        return "%x: %x".formatted(at, machine.in((int) at, size));
      }
      if (write) {
        machine.writeMmio(at, size, value);
        return "written";
      }
      return "%x: %x".formatted(at, machine.readMmio(at, size));
    }
  }

  private String at(int seed, int step, String what) {
    return "%s (%s, seed %d, step %d)".formatted(what, factory.type(), seed, step);
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
