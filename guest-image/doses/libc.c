/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What frame.c, the probe's code and gcc need of a C library; there is none for a guest without a
 * system. As the standard says, as far as these need it: no locale, no floating point.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return start;
}

void *memset(void *to, int byte, size_t size)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *left = a, *right = b;

	for (; size > 0; size--, left++, right++)
		if (*left != *right)
			return *left < *right ? -1 : 1;
	return 0;
}

/* The barrier keeps gcc from making a call of strlen() out of this. */
size_t strlen(const char *text)
{
	const char *end = text;

	for (; *end; end++)
		__asm__ volatile("" : : : "memory");
	return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (; size > 0 && *a && *a == *b; a++, b++, size--)
		;
	return size > 0 ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *text, int wanted)
{
	for (; *text != (char)wanted; text++)
		if (!*text)
			return NULL;
	return (char *)text;
}

struct output {
	char *to;
	size_t size;
	size_t length; /* what would have been written */
};

static void put(struct output *output, char c)
{
	if (output->length + 1 < output->size)
		output->to[output->length] = c;
	output->length++;
}

static void put_string(struct output *output, const char *text)
{
	for (; *text; text++)
		put(output, *text);
}

static void put_number(struct output *output, unsigned long number, unsigned int base,
		       unsigned int width)
{
	char digits[20]; /* of 2^64 - 1 */
	unsigned int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0);
	for (; width > count; width--)
		put(output, '0');
	while (count > 0)
		put(output, digits[--count]);
}

/*
 * %s, %u and %x, the latter two with l, and with a width in zeros. Whatever else stands in a format
 * is a mistake in this program, and panics.
 */
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list args)
{
	struct output output = { to, size, 0 };

	for (; *format; format++) {
		unsigned int width = 0;
		bool is_long;

		if (*format != '%') {
			put(&output, *format);
			continue;
		}
		format++;
		if (*format == '0')
			for (; *format >= '0' && *format <= '9'; format++)
				width = width * 10 + (unsigned int)(*format - '0');
		is_long = *format == 'l';
		format += is_long;
		if (*format == 's' && !is_long)
			put_string(&output, va_arg(args, const char *));
		else if (*format == 'u' || *format == 'x')
			put_number(&output,
				   is_long ? va_arg(args, unsigned long)
					   : va_arg(args, unsigned int),
				   *format == 'u' ? 10 : 16, width);
		else
			__builtin_trap();
	}
	if (size > 0)
		to[output.length < size ? output.length : size - 1] = '\0';
	return (int)output.length;
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(to, size, format, args);
	va_end(args);
	return length;
}
