package io.vmm4j.engine.machine;

import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What is present to build machines from: device factories, boards and backends.
 *
 * @param factories by type, sorted
 * @param boards by name, sorted; always with {@code none}
 * @param backends the most preferred first
 */
public record DeviceCatalog(
    Map<String, DeviceFactory<?, ?>> factories,
    Map<String, Board> boards,
    List<VmBackend> backends) {

  /** The board without devices. */
  public static final String NO_BOARD = "none";

  /** Sorts and copies. */
  public DeviceCatalog {
    factories = new TreeMap<>(factories);
    boards = new TreeMap<>(boards);
    boards.putIfAbsent(NO_BOARD, new EmptyBoard());
    backends =
        backends.stream()
            .sorted(Comparator.comparingInt(VmBackend::preference).reversed())
            .toList();
  }

  private record EmptyBoard() implements Board {
    @Override
    public String name() {
      return NO_BOARD;
    }

    @Override
    public Map<String, DeviceConfig> devices() {
      return Map.of();
    }
  }

  /** What {@link ServiceLoader} finds: with the thread's class loader and with the engine's own. */
  public static DeviceCatalog load() {
    Map<String, DeviceFactory<?, ?>> factories = new LinkedHashMap<>();
    for (DeviceFactory<?, ?> factory :
        services(
            ServiceLoader.load(DeviceFactory.class),
            ServiceLoader.load(DeviceFactory.class, DeviceCatalog.class.getClassLoader()))) {
      factories.putIfAbsent(factory.type(), factory);
    }
    Map<String, Board> boards = new LinkedHashMap<>();
    for (Board board :
        services(
            ServiceLoader.load(Board.class),
            ServiceLoader.load(Board.class, DeviceCatalog.class.getClassLoader()))) {
      boards.putIfAbsent(board.name(), board);
    }
    List<VmBackend> backends =
        services(
            ServiceLoader.load(VmBackend.class),
            ServiceLoader.load(VmBackend.class, DeviceCatalog.class.getClassLoader()));
    return new DeviceCatalog(factories, boards, backends);
  }

  private static <T> List<T> services(ServiceLoader<T> first, ServiceLoader<T> second) {
    Map<Class<?>, T> found = new LinkedHashMap<>();
    Stream.concat(first.stream(), second.stream())
        .forEach(provider -> found.computeIfAbsent(provider.type(), type -> provider.get()));
    return List.copyOf(found.values());
  }

  /** The factory of a type. */
  public Optional<DeviceFactory<?, ?>> factory(String type) {
    return Optional.ofNullable(factories.get(type));
  }
}
