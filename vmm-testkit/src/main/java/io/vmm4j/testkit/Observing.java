package io.vmm4j.testkit;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.util.Optional;

/** A factory that keeps the class of what it has made. */
final class Observing<C extends Record & DeviceConfig, S extends Record>
    implements DeviceFactory<C, S> {
  private final DeviceFactory<C, S> factory;
  private Optional<Class<?>> made = Optional.empty();

  Observing(DeviceFactory<C, S> factory) {
    this.factory = factory;
  }

  /** The class of the devices. */
  Class<?> made() {
    return made.orElseThrow();
  }

  @Override
  public String type() {
    return factory.type();
  }

  @Override
  public String summary() {
    return factory.summary();
  }

  @Override
  public RecordSchema<C> configSchema() {
    return factory.configSchema();
  }

  @Override
  public RecordSchema<S> stateSchema() {
    return factory.stateSchema();
  }

  @Override
  public DeviceModel<S> create(C config, DeviceContext context) {
    DeviceModel<S> device = factory.create(config, context);
    made = Optional.of(device.getClass());
    return device;
  }
}
