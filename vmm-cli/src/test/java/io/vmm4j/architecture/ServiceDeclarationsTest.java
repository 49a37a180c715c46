package io.vmm4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A service is found on the module path and on the class path, or on neither. */
class ServiceDeclarationsTest {
  private static final String SERVICES = "META-INF/services/";

  @TestFactory
  Stream<DynamicTest> bothDeclarationsNameTheSameProviders() {
    return modules()
        .map(module ->
            DynamicTest.dynamicTest(
                module.descriptor().name(),
                () -> assertThat(onTheClassPath(module)).isEqualTo(onTheModulePath(module))));
  }

  @Test
  void theModulesOfTheProjectAreLookedAt() {
    assertThat(modules().map(module -> module.descriptor().name()))
        .contains("io.vmm4j.api", "io.vmm4j.engine", "io.vmm4j.devices", "io.vmm4j.cli");
  }

  private static Stream<ModuleReference> modules() {
    Path[] entries =
        Pattern.compile(File.pathSeparator)
            .splitAsStream(System.getProperty("java.class.path"))
            .filter(entry -> entry.matches(".*/(vmm-[^/]*\\.jar|classes/?)"))
            .map(Path::of)
            .toArray(Path[]::new);
    return ModuleFinder.of(entries).findAll().stream()
        .filter(module -> module.descriptor().name().startsWith("io.vmm4j."));
  }

  private static Map<String, List<String>> onTheModulePath(ModuleReference module) {
    Map<String, List<String>> providers = new TreeMap<>();
    for (ModuleDescriptor.Provides provides : module.descriptor().provides()) {
      providers.put(provides.service(), provides.providers().stream().sorted().toList());
    }
    return providers;
  }

  private static Map<String, List<String>> onTheClassPath(ModuleReference module)
      throws IOException {
    Map<String, List<String>> providers = new TreeMap<>();
    try (ModuleReader reader = module.open();
        Stream<String> resources = reader.list()) {
      resources
          .filter(name -> name.startsWith(SERVICES) && !name.endsWith("/"))
          .forEach(
              name -> providers.put(name.substring(SERVICES.length()), providers(reader, name)));
    }
    return providers;
  }

  private static List<String> providers(ModuleReader reader, String name) {
    try (InputStream in = reader.open(name).orElseThrow()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.replaceFirst("#.*", "").strip())
          .filter(Predicate.not(String::isEmpty))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
