package io.vmm4j.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Holds the arrows between the modules and packages that docs/design.md draws. */
class LayeringTest {
  private static final String JAVA = "java..";
  private static final String JSPECIFY = "org.jspecify..";
  private static final String SLF4J = "org.slf4j..";
  private static final String API = "io.vmm4j.api..";
  private static final String SNAPSHOT = "io.vmm4j.snapshot..";
  private static final String DEVICES = "io.vmm4j.devices..";
  private static final String ENGINE = "io.vmm4j.engine..";
  private static final String SOFTWARE = "io.vmm4j.software..";
  private static final String KVM = "io.vmm4j.kvm..";
  private static final String X86 = "io.vmm4j.x86..";
  private static final String GUESTS = "io.vmm4j.guests..";
  private static final String SOCKET = "io.vmm4j.socket..";
  private static final String CONTROL = "io.vmm4j.control..";
  private static final String GDB = "io.vmm4j.gdb..";
  private static final String NETWORK = "io.vmm4j.network..";
  private static final String VSOCK = "io.vmm4j.vsock..";
  private static final String[] LIBRARY = {
    API, SNAPSHOT, DEVICES, NETWORK, X86, SOFTWARE, KVM, ENGINE, SOCKET, CONTROL, GDB, VSOCK
  };

  private static final ArchCondition<JavaClass> BE_IN_A_NULL_MARKED_PACKAGE =
      new ArchCondition<>("be in a @NullMarked package") {
        @Override
        public void check(JavaClass type, ConditionEvents events) {
          boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
          events.add(
              new SimpleConditionEvent(
                  type, marked, type.getPackageName() + " has no @NullMarked package-info.java"));
        }
      };

  private static final JavaClasses PROJECT =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.vmm4j");

  @Test
  void theApiNeedsNothing() {
    mayOnlyDependOn(API, API, JAVA, JSPECIFY).check(PROJECT);
  }

  @Test
  void theSnapshotFormatKnowsTheApiOnly() {
    mayOnlyDependOn(
            SNAPSHOT, SNAPSHOT, API, JAVA, JSPECIFY, "com.fasterxml.jackson..", "net.jpountz.lz4..")
        .check(PROJECT);
  }

  @Test
  void devicesKnowTheApiOnly() {
    mayOnlyDependOn(DEVICES, DEVICES, API, JAVA, JSPECIFY, SLF4J).check(PROJECT);
  }

  @Test
  void networksNeedOnlyTheApi() {
    mayOnlyDependOn(NETWORK, NETWORK, API, JAVA, JSPECIFY, SLF4J).check(PROJECT);
  }

  @Test
  void theEngineKnowsTheApiAndTheSnapshotFormatButNoDeviceAndNoBackend() {
    mayOnlyDependOn(
            ENGINE, ENGINE, API, SNAPSHOT, X86, JAVA, "jdk..", JSPECIFY, SLF4J, "org.tukaani.xz..")
        .check(PROJECT);
  }

  @Test
  void socketsKnowNoOtherModule() {
    mayOnlyDependOn(SOCKET, SOCKET, JAVA, JSPECIFY, SLF4J, "io.netty..").check(PROJECT);
  }

  @Test
  void controlKnowsTheApiAndSocketsOnly() {
    mayOnlyDependOn(
            CONTROL,
            CONTROL,
            API,
            SOCKET,
            JAVA,
            JSPECIFY,
            SLF4J,
            "com.fasterxml.jackson.core..",
            "io.netty..")
        .check(PROJECT);
  }

  @Test
  void theControlProtocolIsReadWithoutAMachineOrASocket() {
    mayOnlyDependOn(
            "io.vmm4j.control.protocol..",
            "io.vmm4j.control.protocol..",
            JAVA,
            JSPECIFY,
            "com.fasterxml.jackson.core..")
        .check(PROJECT);
    mayNotDependOn("io.vmm4j.control.command..", "io.netty..").check(PROJECT);
  }

  @Test
  void theDebuggersServerKnowsTheApiAndSocketsOnly() {
    mayOnlyDependOn(GDB, GDB, API, SOCKET, JAVA, JSPECIFY, SLF4J, "io.netty..").check(PROJECT);
    mayOnlyDependOn("io.vmm4j.gdb.protocol..", "io.vmm4j.gdb.protocol..", JAVA, JSPECIFY)
        .check(PROJECT);
    mayNotDependOn("io.vmm4j.gdb.stub..", "io.netty..").check(PROJECT);
  }

  @Test
  void virtioSocketsKnowTheApiAndSocketsOnly() {
    mayOnlyDependOn(VSOCK, VSOCK, API, SOCKET, JAVA, JSPECIFY, SLF4J).check(PROJECT);
  }

  @Test
  void theGuestsKnowNoOtherModule() {
    mayOnlyDependOn(GUESTS, GUESTS, JAVA, JSPECIFY, "org.junit..", "org.opentest4j..")
        .check(PROJECT);
  }

  @Test
  void theBackendsKnowTheApiAndTheArchitectureOnly() {
    mayOnlyDependOn(X86, X86, API, JAVA, JSPECIFY).check(PROJECT);
    mayOnlyDependOn(SOFTWARE, SOFTWARE, X86, API, JAVA, JSPECIFY, SLF4J).check(PROJECT);
    mayOnlyDependOn(KVM, KVM, X86, API, JAVA, JSPECIFY).check(PROJECT);
  }

  @Test
  void devicesDoNotGoRoundInCircles() {
    slices()
        .matching("io.vmm4j.devices.(*)..")
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true)
        .check(PROJECT);
  }

  @Test
  void noLibraryHasStaticMutableState() {
    fields()
        .that()
        .areDeclaredInClassesThat()
        .resideInAnyPackage(LIBRARY)
        .and()
        .areStatic()
        .should()
        .beFinal()
        .because("a hundred machines live in one JVM")
        .check(PROJECT);
  }

  /**
   * An interrupt closes a channel, so those named here have it to themselves, for one call. {@code
   * RawFile} only locks a file by it.
   */
  @Test
  void noFileChannelIsSharedButThroughSharedFile() {
    noClasses()
        .that()
        .resideInAnyPackage(LIBRARY)
        .and()
        .haveNameNotMatching(
            ".*\\.(SharedFile|AtomicFileWriter|TemporaryFile|SparseOutput|PositionedFile|ImageBytes|RawFile)(\\$.*)?")
        .should()
        .callMethodWhere(
            JavaCall.Predicates.target(
                HasOwner.Predicates.With.owner(
                    JavaClass.Predicates.assignableTo("java.nio.channels.FileChannel"))))
        .because("an interrupt of one caller would close it for all")
        .check(PROJECT);
  }

  @Test
  void noLibraryPrints() {
    NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS
        .because("a library logs")
        .check(
            PROJECT.that(
                DescribedPredicate.not(
                    JavaClass.Predicates.resideInAnyPackage(
                        "io.vmm4j.cli..", "io.vmm4j.guests.."))));
  }

  @Test
  void everyPackageSaysWhereNullMayBe() {
    classes()
        .that()
        .resideInAnyPackage("io.vmm4j..")
        .and()
        .areTopLevelClasses()
        .should(BE_IN_A_NULL_MARKED_PACKAGE)
        .check(PROJECT);
  }

  @Test
  void aRuleThatIsBrokenFails() {
    // given a rule of the form used above that these tests themselves break
    JavaClasses tests = new ClassFileImporter().importClasses(LayeringTest.class);

    // then it is an error
    assertThatThrownBy(() -> mayOnlyDependOn("io.vmm4j.architecture..", JAVA).check(tests))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("ClassFileImporter");
  }

  private static ArchRule mayOnlyDependOn(String origin, String... targets) {
    return classes()
        .that()
        .resideInAPackage(origin)
        .should()
        .onlyDependOnClassesThat(
            DescribedPredicate.or(
                JavaClass.Predicates.resideInAnyPackage(targets),
                // Arrays of primitives are in no package.
                JavaClass.Predicates.resideInAPackage("")))
        .allowEmptyShould(true);
  }

  private static ArchRule mayNotDependOn(String origin, String target) {
    return noClasses()
        .that()
        .resideInAPackage(origin)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(target)
        .allowEmptyShould(true);
  }
}
