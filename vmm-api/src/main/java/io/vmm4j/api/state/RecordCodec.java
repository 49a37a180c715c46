package io.vmm4j.api.state;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns records of one class into fields and back, by the record's components. */
final class RecordCodec<R extends Record> {

  /** One value's form in the file. */
  private interface Form {
    Object write(Object value);

    Object read(String where, Object value);

    String name();
  }

  private record Component(String name, MethodHandle accessor, Form form, Object defaultValue) {}

  /** Stands for "no default": a field value is never a plain object. */
  private static final Object NONE = new Object();

  private final Class<R> type;
  private final MethodHandle constructor;
  private final List<Component> components;

  private RecordCodec(Class<R> type, MethodHandle constructor, List<Component> components) {
    this.type = type;
    this.constructor = constructor;
    this.components = components;
  }

  static <R extends Record> RecordCodec<R> of(
      MethodHandles.Lookup lookup, Class<R> type, Map<String, Object> defaults) {
    RecordComponent[] parts = type.getRecordComponents();
    List<Component> components = new ArrayList<>();
    for (RecordComponent part : parts) {
      try {
        components.add(
            new Component(
                part.getName(),
                lookup.unreflect(part.getAccessor()),
                form(lookup, part.getGenericType()),
                defaults.getOrDefault(part.getName(), NONE)));
      } catch (IllegalAccessException e) {
        throw new IllegalArgumentException(
            "the lookup has no access to %s.%s".formatted(type.getName(), part.getName()), e);
      }
    }
    for (String name : defaults.keySet()) {
      if (components.stream().noneMatch(c -> c.name().equals(name))) {
        throw new IllegalArgumentException(
            "default for '%s', which %s has not".formatted(name, type.getName()));
      }
    }
    Class<?>[] types = Arrays.stream(parts).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      return new RecordCodec<>(
          type,
          lookup.findConstructor(type, MethodType.methodType(void.class, types)),
          List.copyOf(components));
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new IllegalArgumentException(
          "the lookup has no access to the constructor of " + type.getName(), e);
    }
  }

  String shape() {
    StringBuilder text = new StringBuilder("{");
    for (Component c : components) {
      text.append(text.length() > 1 ? "," : "").append(c.name()).append(':');
      text.append(c.form().name());
    }
    return text.append('}').toString();
  }

  Map<String, String> components() {
    Map<String, String> map = new LinkedHashMap<>();
    components.forEach(c -> map.put(c.name(), c.form().name()));
    return map;
  }

  FieldMap defaults() {
    Map<String, Object> map = new LinkedHashMap<>();
    for (Component c : components) {
      if (c.defaultValue() != NONE) {
        map.put(c.name(), c.defaultValue());
      }
    }
    return FieldMap.of(map);
  }

  FieldMap toFields(R record) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (Component c : components) {
      Object value;
      try {
        value = c.accessor().invoke(record);
      } catch (Throwable e) {
        throw new IllegalStateException(type.getName() + "." + c.name() + "() failed", e);
      }
      fields.put(c.name(), c.form().write(value));
    }
    return FieldMap.of(fields);
  }

  R fromFields(FieldMap fields) {
    List<Object> values = new ArrayList<>(components.size());
    for (Component c : components) {
      String where = type.getSimpleName() + "." + c.name();
      Object value = fields.has(c.name()) ? fields.get(c.name()) : c.defaultValue();
      if (value == NONE) {
        throw new StateFormatException(where + ": the field is absent and has no default");
      }
      values.add(c.form().read(where, value));
    }
    try {
      return type.cast(constructor.invokeWithArguments(values));
    } catch (IllegalArgumentException e) {
      throw new StateFormatException(type.getSimpleName() + ": " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      throw new StateFormatException(type.getSimpleName() + " refuses its values: " + e, e);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static Form form(MethodHandles.Lookup lookup, Type type) {
    if (type instanceof ParameterizedType p && p.getRawType() == List.class) {
      return new ListForm(form(lookup, p.getActualTypeArguments()[0]));
    }
    if (type instanceof ParameterizedType p && p.getRawType() == Optional.class) {
      return new OptionalForm(form(lookup, p.getActualTypeArguments()[0]));
    }
    if (type == boolean.class || type == Boolean.class) {
      return new PlainForm("boolean", Boolean.class);
    }
    if (type == String.class) {
      return new PlainForm("text", String.class);
    }
    if (type == byte[].class) {
      return new BytesForm();
    }
    if (type == FieldMap.class) {
      return new PlainForm("fields", FieldMap.class);
    }
    if (type == byte.class || type == Byte.class) {
      return new IntegerForm("int8", Byte.MIN_VALUE, Byte.MAX_VALUE, n -> (byte) n);
    }
    if (type == short.class || type == Short.class) {
      return new IntegerForm("int16", Short.MIN_VALUE, Short.MAX_VALUE, n -> (short) n);
    }
    if (type == int.class || type == Integer.class) {
      return new IntegerForm("int32", Integer.MIN_VALUE, Integer.MAX_VALUE, n -> (int) n);
    }
    if (type == long.class || type == Long.class) {
      return new IntegerForm("int64", Long.MIN_VALUE, Long.MAX_VALUE, n -> n);
    }
    if (type == int[].class || type == long[].class || type == boolean[].class) {
      return new ArrayForm((Class<?>) type, form(lookup, ((Class<?>) type).getComponentType()));
    }
    if (type instanceof Class<?> c && c.isEnum()) {
      return new EnumForm(c);
    }
    if (type instanceof Class<?> c && c.isRecord()) {
      return new RecordForm<>(of(lookup, c.asSubclass(Record.class), Map.of()));
    }
    throw new IllegalArgumentException("the format has no form for " + type.getTypeName());
  }

  private static StateFormatException wrong(String where, String expected, Object found) {
    return new StateFormatException(
        "%s: expected %s, found %s"
            .formatted(where, expected, found instanceof byte[] b ? b.length + " bytes" : found));
  }

  private record PlainForm(String name, Class<?> kind) implements Form {
    @Override
    public Object write(Object value) {
      return value;
    }

    @Override
    public Object read(String where, Object value) {
      if (!kind.isInstance(value)) {
        throw wrong(where, name, value);
      }
      return value;
    }
  }

  private record BytesForm() implements Form {
    @Override
    public String name() {
      return "bytes";
    }

    @Override
    public Object write(Object value) {
      return ((byte[]) value).clone();
    }

    @Override
    public Object read(String where, Object value) {
      if (value instanceof byte[] bytes) {
        return bytes.clone();
      }
      throw wrong(where, "bytes", value);
    }
  }

  private interface Narrowing {
    Object apply(long value);
  }

  private record IntegerForm(String name, long min, long max, Narrowing narrowing) implements Form {
    @Override
    public Object write(Object value) {
      return ((Number) value).longValue();
    }

    @Override
    public Object read(String where, Object value) {
      if (value instanceof Long n && n >= min && n <= max) {
        return narrowing.apply(n);
      }
      throw wrong(where, name, value);
    }
  }

  private record EnumForm(Class<?> type) implements Form {
    @Override
    public String name() {
      return Arrays.toString(type.getEnumConstants());
    }

    @Override
    public Object write(Object value) {
      return ((Enum<?>) value).name();
    }

    @Override
    public Object read(String where, Object value) {
      for (Object constant : type.getEnumConstants()) {
        if (((Enum<?>) constant).name().equals(value)) {
          return constant;
        }
      }
      throw wrong(where, "one of " + name(), value);
    }
  }

  private record ListForm(Form element) implements Form {
    @Override
    public String name() {
      return "[" + element.name() + "]";
    }

    @Override
    public Object write(Object value) {
      return ((List<?>) value).stream().map(element::write).toList();
    }

    @Override
    public Object read(String where, Object value) {
      if (value instanceof List<?> list) {
        return list.stream().<Object>map(v -> element.read(where, v)).toList();
      }
      throw wrong(where, "a list", value);
    }
  }

  /** An absent value is an empty list, a present one a list of one. */
  private record OptionalForm(Form element) implements Form {
    @Override
    public String name() {
      return element.name() + "?";
    }

    @Override
    public Object write(Object value) {
      return ((Optional<?>) value).stream().map(element::write).toList();
    }

    @Override
    public Object read(String where, Object value) {
      if (value instanceof List<?> list && list.size() <= 1) {
        return list.stream().<Object>map(v -> element.read(where, v)).findFirst();
      }
      throw wrong(where, "at most one value", value);
    }
  }

  private record ArrayForm(Class<?> type, Form element) implements Form {
    @Override
    public String name() {
      return element.name() + "[]";
    }

    @Override
    public Object write(Object value) {
      int n = Array.getLength(value);
      List<Object> list = new ArrayList<>(n);
      for (int i = 0; i < n; i++) {
        list.add(element.write(Array.get(value, i)));
      }
      return list;
    }

    @Override
    public Object read(String where, Object value) {
      if (!(value instanceof List<?> list)) {
        throw wrong(where, "a list", value);
      }
      Object array = Array.newInstance(type.getComponentType(), list.size());
      for (int i = 0; i < list.size(); i++) {
        Array.set(array, i, element.read(where + "[" + i + "]", list.get(i)));
      }
      return array;
    }
  }

  private record RecordForm<N extends Record>(RecordCodec<N> codec) implements Form {
    @Override
    public String name() {
      return codec.shape();
    }

    @Override
    public Object write(Object value) {
      return codec.toFields(codec.type.cast(value));
    }

    @Override
    public Object read(String where, Object value) {
      if (value instanceof FieldMap fields) {
        return codec.fromFields(fields);
      }
      throw wrong(where, "a record", value);
    }
  }
}
