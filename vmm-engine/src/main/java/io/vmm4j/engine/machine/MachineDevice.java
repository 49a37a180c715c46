package io.vmm4j.engine.machine;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.snapshot.StateChunk;
import java.util.Optional;
import java.util.UUID;

/**
 * A device of a machine with its place and its schemas; ties the type parameters together once.
 * With the machine lock held.
 *
 * @param <S> its state
 */
public final class MachineDevice<S extends Record> {
  private final String path;
  private final DeviceFactory<?, S> factory;
  private final DeviceConfig config;
  private final FieldMap configFields;
  private final DeviceModel<S> model;

  private MachineDevice(
      String path,
      DeviceFactory<?, S> factory,
      DeviceConfig config,
      FieldMap configFields,
      DeviceModel<S> model) {
    this.path = path;
    this.factory = factory;
    this.config = config;
    this.configFields = configFields;
    this.model = model;
  }

  /**
   * What is wrong with a configuration, if anything is: its values are in range, as its record has
   * checked them, so only that it is of another type than the factory takes.
   */
  static Optional<String> fault(DeviceFactory<?, ?> factory, DeviceConfig config) {
    Class<?> type = factory.configSchema().type();
    return type.isInstance(config)
        ? Optional.empty()
        : Optional.of(
            "its configuration is a %s; type '%s' takes a %s"
                .formatted(config.getClass().getName(), factory.type(), type.getName()));
  }

  /**
   * Makes a device.
   *
   * @throws DeviceException if it can't be made
   */
  public static <C extends Record & DeviceConfig, S extends Record> MachineDevice<S> create(
      String path, DeviceFactory<C, S> factory, DeviceConfig config, DeviceContext context) {
    fault(factory, config)
        .ifPresent(why -> {
          throw new DeviceException(path, why);
        });
    C own = factory.configSchema().type().cast(config);
    try {
      return new MachineDevice<>(
          path,
          factory,
          config,
          factory.configSchema().toFields(own),
          factory.create(own, context));
    } catch (DeviceException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot be made: " + e, e);
    }
  }

  /** Its place in the machine. */
  public String path() {
    return path;
  }

  /** Its type. */
  public String type() {
    return factory.type();
  }

  /** Its configuration. */
  public DeviceConfig config() {
    return config;
  }

  /** Its configuration as it stands in a snapshot. */
  public FieldMap configFields() {
    return configFields;
  }

  /** The version of {@link #configFields}. */
  public int configVersion() {
    return factory.configSchema().version();
  }

  void reset() {
    try {
      model.reset();
    } catch (DeviceException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot be reset: " + e, e);
    }
  }

  void quiesce() {
    try {
      model.quiesce();
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot be quiesced: " + e, e);
    }
  }

  void resume() {
    try {
      model.resume();
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot resume: " + e, e);
    }
  }

  /** Its state as it stands in a snapshot. */
  public StateChunk save() {
    try {
      return StateChunk.of(type(), path, factory.stateSchema(), model.save());
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot be saved: " + e, e);
    }
  }

  /**
   * Checks a state that was read, without taking it on.
   *
   * @throws SnapshotException of the kind that fits
   */
  public Runnable restorer(StateChunk chunk) {
    S state = chunk.decode(factory.stateSchema());
    return () -> {
      try {
        model.restore(state);
      } catch (IllegalArgumentException e) {
        throw new SnapshotException.Corrupt(
            chunk.offset(), "state of '%s': %s".formatted(path, e.getMessage()));
      } catch (DeviceException e) {
        throw e;
      } catch (RuntimeException e) {
        throw new DeviceException(path, "cannot be restored: " + e, e);
      }
    };
  }

  void becomeClone(UUID identity) {
    try {
      model.becomeClone(identity);
    } catch (RuntimeException e) {
      throw new DeviceException(path, "cannot become a clone's: " + e, e);
    }
  }

  void close() {
    model.close();
  }
}
