package io.vmm4j.examples.thermometer;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/**
 * Makes thermometers. It is found because this module's descriptor says {@code provides
 * DeviceFactory with ThermometerFactory} (and, for the class path, META-INF/services does): nothing
 * else knows of it.
 */
public final class ThermometerFactory
    implements DeviceFactory<ThermometerConfig, ThermometerState> {

  /** For {@link java.util.ServiceLoader}. */
  public ThermometerFactory() {}

  @Override
  public String type() {
    return ThermometerConfig.TYPE;
  }

  @Override
  public String summary() {
    return "thermometer with an alarm, the example of a device of one's own";
  }

  @Override
  public RecordSchema<ThermometerConfig> configSchema() {
    return RecordSchema.builder(MethodHandles.lookup(), ThermometerConfig.class)
        .defaults(ThermometerConfig.DEFAULT)
        .build();
  }

  /** Version 1. When the record changes, so does the version, and an upgrade comes in here. */
  @Override
  public RecordSchema<ThermometerState> stateSchema() {
    return RecordSchema.of(MethodHandles.lookup(), ThermometerState.class);
  }

  @Override
  public DeviceModel<ThermometerState> create(ThermometerConfig config, DeviceContext context) {
    return new Thermometer(config, context);
  }
}
