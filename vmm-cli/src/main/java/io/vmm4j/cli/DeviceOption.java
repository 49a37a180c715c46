package io.vmm4j.cli;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.StateFormatException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One {@code --device TYPE[,key=value…]}.
 *
 * @param path where in the machine it is to be, if the user said so
 * @param config its configuration: what the user gave, and defaults
 */
record DeviceOption(Optional<String> path, DeviceConfig config) {
  private static final String PATH = "path";

  /**
   * Reads the option.
   *
   * @throws UsageException if the type is unknown, a key is, or a value does not fit
   */
  static DeviceOption parse(String text, DeviceTypes types) {
    String[] parts = split(text);
    DeviceFactory<?, ?> factory =
        types
            .find(parts[0])
            .orElseThrow(() ->
                new UsageException(
                    "--device %s: no such type; there are %s"
                        .formatted(parts[0], String.join(", ", types.names()))));
    RecordSchema<? extends Record> schema = factory.configSchema();
    Map<String, String> forms = schema.components();
    Optional<String> path = Optional.empty();
    Map<String, Object> fields = new LinkedHashMap<>(schema.defaults().asMap());
    for (int i = 1; i < parts.length; i++) {
      int equals = parts[i].indexOf('=');
      if (equals < 1) {
        throw new UsageException(
            "--device %s: expected key=value, found '%s'".formatted(parts[0], parts[i]));
      }
      String key = parts[i].substring(0, equals);
      String value = parts[i].substring(equals + 1);
      if (key.equals(PATH)) {
        path = Optional.of(value);
        continue;
      }
      String form = forms.get(key);
      if (form == null) {
        throw new UsageException(
            "--device %s: no key '%s'; there are %s"
                .formatted(parts[0], key, String.join(", ", forms.keySet()) + ", " + PATH));
      }
      try {
        fields.put(key, FieldValue.parse(form, value));
      } catch (IllegalArgumentException e) {
        throw new UsageException(
            "--device %s: key '%s': %s".formatted(parts[0], key, e.getMessage()));
      }
    }
    try {
      Record config = schema.fromFields(schema.version(), FieldMap.of(fields));
      return new DeviceOption(path, (DeviceConfig) config);
    } catch (StateFormatException e) {
      throw new UsageException("--device %s: %s".formatted(parts[0], e.getMessage()));
    }
  }

  /** Parts between single commas; a double comma is a comma. */
  private static String[] split(String text) {
    String[] parts = text.replace(",,", "\0").split(",", -1);
    for (int i = 0; i < parts.length; i++) {
      parts[i] = parts[i].replace('\0', ',');
    }
    return parts;
  }

  /** The path the user gave, or the type and the first number that is free. */
  String pathAmong(Map<String, DeviceConfig> taken) {
    if (path.isPresent()) {
      return path.get();
    }
    int number = 0;
    while (taken.containsKey(config.deviceType() + "-" + number)) {
      number++;
    }
    return config.deviceType() + "-" + number;
  }
}
