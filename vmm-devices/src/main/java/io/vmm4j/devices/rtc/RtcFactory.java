package io.vmm4j.devices.rtc;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code mc146818-rtc} devices. */
public final class RtcFactory implements DeviceFactory<RtcConfig, RtcState> {
  private static final RecordSchema<RtcConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), RtcConfig.class)
          .defaults(RtcConfig.DEFAULT)
          .build();
  private static final RecordSchema<RtcState> STATE =
      RecordSchema.of(MethodHandles.lookup(), RtcState.class);

  /** For {@link java.util.ServiceLoader}. */
  public RtcFactory() {}

  @Override
  public String type() {
    return RtcConfig.TYPE;
  }

  @Override
  public String summary() {
    return "MC146818 real-time clock and CMOS memory";
  }

  @Override
  public RecordSchema<RtcConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<RtcState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<RtcState> create(RtcConfig config, DeviceContext context) {
    return new Rtc(config, context);
  }
}
