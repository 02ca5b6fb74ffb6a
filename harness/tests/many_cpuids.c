/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What test_smp.c runs in L2's user space: a process on each of so many vCPUs, which all execute
 * CPUID as fast as they can, while the first one freezes its VM's counts and looks at them:
 *
 *   many_cpuids VCPUS EACH
 *
 * Says "KEY: VALUE" lines, of which the test says what they must be.
 */
#include <cpuid.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include <asm/kvm_exitcount.h>

#define MOST 64

#define NUMBER(number, name) number,
static const uint32_t vmx[] = { KVM_EXITCOUNT_VMX_REASONS(NUMBER) };
static const uint32_t svm[] = { KVM_EXITCOUNT_SVM_REASONS(NUMBER) };

/* What a process tells of itself. */
struct worker {
	uint64_t executed;   /* CPUIDs */
	uint64_t begin, end; /* TSC */
	uint64_t tried, frozen, wrong;
};

static struct shared {
	unsigned int ready;
	bool go;
	struct worker workers[MOST];
} * shared;

struct registers {
	uint32_t eax, ebx, ecx, edx;
};

static struct registers ask(struct worker *worker, uint32_t leaf, uint32_t reason)
{
	struct registers is;

	worker->executed++;
	__cpuid_count(leaf, reason, is.eax, is.ebx, is.ecx, is.edx);
	return is;
}

static uint64_t count(struct registers is)
{
	return (uint64_t)is.ebx << 32 | is.eax;
}

/* What is frozen adds up, and no count is less than it was the last time. */
static bool adds_up(struct worker *worker, const uint32_t *reasons, size_t n, uint64_t total)
{
	static uint64_t before[sizeof(svm) / sizeof(*svm) + sizeof(vmx) / sizeof(*vmx)];
	uint64_t sum = 0;
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const uint64_t one = count(ask(worker, KVM_EXITCOUNT_CPUID_LATCHED, reasons[i]));

		ok = ok && one >= before[i];
		before[i] = one;
		sum += one;
	}
	return ok && sum == total;
}

static void freeze(struct worker *worker, bool is_vmx)
{
	const struct registers is = ask(worker, KVM_EXITCOUNT_CPUID_LATCH, 0);

	worker->tried++;
	if (is.edx == KVM_EXITCOUNT_NOT_LATCHED_EDX)
		return;
	worker->frozen++;
	if (!(is_vmx ? adds_up(worker, vmx, sizeof(vmx) / sizeof(*vmx), count(is))
		     : adds_up(worker, svm, sizeof(svm) / sizeof(*svm), count(is))))
		worker->wrong++;
}

static void work(unsigned int self, uint64_t each, bool is_vmx)
{
	struct worker *worker = &shared->workers[self];
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(self, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) {
		perror("sched_setaffinity");
		exit(1);
	}
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
		;
	worker->begin = __rdtsc();
	for (uint64_t i = 0; i < each; i++) {
		if (self == 0 && i % 64 == 0)
			freeze(worker, is_vmx);
		ask(worker, i % 2 == 0 ? 0 : KVM_EXITCOUNT_CPUID_EXITS, (uint32_t)i);
	}
	worker->end = __rdtsc();
	exit(0);
}

int main(int argc, char **argv)
{
	struct worker all = { .end = UINT64_MAX };
	unsigned int vcpus;
	uint64_t each, before, after;
	uint32_t cpuid;
	bool is_vmx;

	if (argc != 3)
		return 1;
	vcpus = (unsigned int)strtoul(argv[1], NULL, 10);
	each
		= strtoull(argv[2], NULL, 10);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (vcpus == 0 || vcpus > MOST || shared == MAP_FAILED)
		return 1;
	is_vmx = ask(&all, KVM_EXITCOUNT_CPUID_IN_EFFECT, 0).ebx == KVM_EXITCOUNT_VENDOR_VMX;
	cpuid = is_vmx ? 10 : 0x72;
	for (unsigned int i = 0; i < vcpus; i++)
		if (fork() == 0)
			work(i, each, is_vmx);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < vcpus)
		sched_yield();
	all.executed = 0;
	before = count(ask(&all, KVM_EXITCOUNT_CPUID_EXITS, cpuid));
	__atomic_store_n(&shared->go, true, __ATOMIC_SEQ_CST);
	while (wait(NULL) > 0)
		;
	/* Of the first question only what was counted before its answer; of this one all. */
	after = count(ask(&all, KVM_EXITCOUNT_CPUID_EXITS, cpuid));
	all.executed--;
	for (unsigned int i = 0; i < vcpus; i++) {
		const struct worker *one = &shared->workers[i];

		all.executed += one->executed;
		all.begin = one->begin > all.begin ? one->begin : all.begin;
		all.end = one->end < all.end ? one->end : all.end;
		all.tried += one->tried;
		all.frozen += one->frozen;
		all.wrong += one->wrong;
	}
	printf("vcpus: %ld\nat-once: %s\nexecuted: %llu\ncounted: %llu\n",
	       sysconf(_SC_NPROCESSORS_ONLN), all.begin < all.end ? "yes" : "no",
	       (unsigned long long)all.executed, (unsigned long long)(after - before));
	printf("tried: %llu\nfrozen: %llu\nwrong: %llu\n", (unsigned long long)all.tried,
	       (unsigned long long)all.frozen, (unsigned long long)all.wrong);
	return 0;
}
