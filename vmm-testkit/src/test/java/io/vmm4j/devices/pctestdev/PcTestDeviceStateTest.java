package io.vmm4j.devices.pctestdev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.StateFormatException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** States of earlier versions, as their files have them. */
class PcTestDeviceStateTest {
  private static final RecordSchema<PcTestDeviceState> SCHEMA =
      new PcTestDeviceFactory().stateSchema();

  private static FieldMap version1(byte[] window) {
    return FieldMap.of(Map.of("ports", new byte[] {1, 2, 3, 4}, "lines", 1024L, "window", window));
  }

  @Test
  void version_1_had_the_window_in_one_piece() {
    byte[] window = new byte[1 << 16];
    window[0x1238] = 7;
    window[0xFFFF] = 8;

    PcTestDeviceState state = SCHEMA.fromFields(1, version1(window));

    assertThat(state.ports()).containsExactly(1, 2, 3, 4);
    assertThat(state.lines()).isEqualTo(1024);
    assertThat(state.window()).extracting(PcTestDeviceState.Page::number).containsExactly(1, 15);
    assertThat(state.window().get(0).contents()[0x238]).isEqualTo((byte) 7);
    assertThat(state.window().get(1).contents()[0xFFF]).isEqualTo((byte) 8);
  }

  @Test
  void the_step_keeps_what_it_does_not_know() {
    FieldMap fields = version1(new byte[1 << 16]).with("later", true);

    assertThat(PcTestDeviceState.fromVersion1(fields)).isEqualTo(fields.with("window", List.of()));
  }

  @Test
  void a_window_of_another_form_is_refused() {
    assertThatThrownBy(() -> SCHEMA.fromFields(1, version1(new byte[5])))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("window: it has 5 bytes");
    assertThatThrownBy(() -> SCHEMA.fromFields(1, version1(new byte[5]).with("window", "open")))
        .isInstanceOf(StateFormatException.class);
  }

  @Test
  void pages_are_in_order_and_there_once() {
    FieldMap page = FieldMap.of(Map.of("number", 3L, "contents", new byte[4096]));
    FieldMap fields = version1(new byte[0]).with("window", List.of(page, page));

    assertThatThrownBy(() -> SCHEMA.fromFields(2, fields))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("number of a page");
  }
}
