package io.vmm4j.devices.uart;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.function.UnaryOperator;

/** Makes {@code uart16550} devices. */
public final class UartFactory implements DeviceFactory<UartConfig, UartState> {
  private static final RecordSchema<UartConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), UartConfig.class)
          .defaults(UartConfig.DEFAULT)
          .build();
  private static final RecordSchema<UartState> STATE =
      RecordSchema.builder(MethodHandles.lookup(), UartState.class)
          .version(3)
          // Version 1 had no receiver buffer: a read without a character gave 0.
          .defaultValue("receiverBuffer", 0L)
          .upgrade(1, UnaryOperator.identity())
          // Before version 3 characters arrived whenever there was room.
          .defaultValue("batch", 0L)
          .defaultValue("batchBeganAt", 0L)
          .defaultValue("restUntil", List.of())
          .upgrade(2, UnaryOperator.identity())
          .build();

  /** For {@link java.util.ServiceLoader}. */
  public UartFactory() {}

  @Override
  public String type() {
    return UartConfig.TYPE;
  }

  @Override
  public String summary() {
    return "16550A serial port";
  }

  @Override
  public RecordSchema<UartConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<UartState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<UartState> create(UartConfig config, DeviceContext context) {
    return new Uart(config, context);
  }
}
