package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A device on the command line becomes the configuration of its type. */
class DeviceOptionTest {
  enum Colour {
    RED,
    SEA_GREEN
  }

  record Lamp(
      int watts,
      long lumens,
      boolean dimmed,
      String label,
      Colour colour,
      byte[] key,
      List<Integer> steps,
      Optional<Integer> socket)
      implements DeviceConfig {
    Lamp {
      if (watts > 100) {
        throw new IllegalArgumentException("watts: " + watts + " is more than 100");
      }
    }

    @Override
    public String deviceType() {
      return "lamp";
    }
  }

  record LampState() {}

  private static final class LampFactory implements DeviceFactory<Lamp, LampState> {
    @Override
    public String type() {
      return "lamp";
    }

    @Override
    public String summary() {
      return "a lamp";
    }

    @Override
    public RecordSchema<Lamp> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Lamp.class)
          .defaults(
              new Lamp(
                  40, 400, false, "", Colour.RED, new byte[0], List.of(1, 2), Optional.empty()))
          .build();
    }

    @Override
    public RecordSchema<LampState> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), LampState.class);
    }

    @Override
    public DeviceModel<LampState> create(Lamp config, DeviceContext context) {
      throw new UnsupportedOperationException("never created here");
    }
  }

  private static final DeviceTypes TYPES = new DeviceTypes(List.of(new LampFactory()));

  private static Lamp lamp(String text) {
    return (Lamp) DeviceOption.parse(text, TYPES).config();
  }

  @Test
  void aTypeAloneHasTheDefaults() {
    Lamp lamp = lamp("lamp");

    assertThat(lamp.watts()).isEqualTo(40);
    assertThat(lamp.steps()).containsExactly(1, 2);
    assertThat(lamp.socket()).isEmpty();
  }

  @Test
  void everyKindOfValueCanBeGiven() {
    Lamp lamp =
        lamp(
            "lamp,watts=0x20,lumens=4K,dimmed=on,label=a,,b,colour=sea-green,key=c0ffee,"
                + "steps=5:7,socket=3");

    assertThat(lamp.watts()).isEqualTo(32);
    assertThat(lamp.lumens()).isEqualTo(4096);
    assertThat(lamp.dimmed()).isTrue();
    assertThat(lamp.label()).isEqualTo("a,b");
    assertThat(lamp.colour()).isEqualTo(Colour.SEA_GREEN);
    assertThat(lamp.key()).containsExactly(0xC0, 0xFF, 0xEE);
    assertThat(lamp.steps()).containsExactly(5, 7);
    assertThat(lamp.socket()).contains(3);
  }

  @Test
  void anUnknownKeyIsNamedWithThoseThatExist() {
    assertThatThrownBy(() -> lamp("lamp,volts=5"))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "--device lamp: no key 'volts'; there are watts, lumens, dimmed, label, colour, key,"
                + " steps, socket, path");
  }

  @Test
  void aConstantThatDoesNotExistIsNamedWithThoseThatDo() {
    assertThatThrownBy(() -> lamp("lamp,colour=blue"))
        .hasMessage("--device lamp: key 'colour': 'blue' is not one of red, sea-green");
  }

  @Test
  void aValueThatTheTypeRefusesIsExplainedByTheType() {
    assertThatThrownBy(() -> lamp("lamp,watts=200"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("watts: 200 is more than 100");
  }

  @Test
  void thePathIsTheUsersOrTheTypeAndTheFirstFreeNumber() {
    Map<String, DeviceConfig> taken = new HashMap<>();
    DeviceOption plain = DeviceOption.parse("lamp", TYPES);

    assertThat(DeviceOption.parse("lamp,path=desk", TYPES).pathAmong(taken)).isEqualTo("desk");
    assertThat(plain.pathAmong(taken)).isEqualTo("lamp-0");
    taken.put("lamp-0", plain.config());
    assertThat(plain.pathAmong(taken)).isEqualTo("lamp-1");
  }

  @Test
  void theUsualDevicesAreThereUnlessReplaced() {
    RunCommand run = new RunCommand();
    assertThat(run.devices(DeviceTypes.present())).containsKey("com1");

    run.devices.add("uart16550,path=com1,irq=7");
    assertThat(run.devices(DeviceTypes.present()).get("com1").toString()).contains("irq=7");
  }
}
