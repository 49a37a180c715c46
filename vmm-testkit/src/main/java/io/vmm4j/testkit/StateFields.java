package io.vmm4j.testkit;

import io.vmm4j.api.state.FieldMap;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The fields of a state, those of nested records among them, each by its name in the whole. */
final class StateFields {
  private StateFields() {}

  /** Each field's value as text; what a list holds of one field is one text. */
  static Map<String, String> of(FieldMap state) {
    Map<String, String> found = new LinkedHashMap<>();
    add("", state, found);
    return found;
  }

  private static void add(String prefix, FieldMap fields, Map<String, String> found) {
    for (String name : fields.names()) {
      add(prefix + name, fields.get(name), found);
    }
  }

  private static void add(String name, Object value, Map<String, String> found) {
    switch (value) {
      case FieldMap nested -> add(name + ".", nested, found);
      case List<?> list -> {
        if (list.isEmpty()) {
          found.put(name, "");
        }
        list.forEach(
            element -> add(element instanceof FieldMap ? name + "[]" : name, element, found));
      }
      case byte[] bytes -> found.merge(name, Arrays.toString(bytes), String::concat);
      default -> found.merge(name, value + ",", String::concat);
    }
  }
}
